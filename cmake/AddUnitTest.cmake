# add_unit_test(NAME LAYER layer [SOURCES file...] [WRAP symbol...] [LIBS lib...]
#               [ENVIRONMENT NAME=VALUE...])
#
# Builds test_NAME.c (plus SOURCES) into one cmocka program that links LAYER and, through it, the
# layers below, never those above. WRAP replaces libc or kernel calls through the linker. When
# cross-compiling, ctest runs it under CMAKE_CROSSCOMPILING_EMULATOR.

find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

function(add_unit_test name)
  cmake_parse_arguments(arg "" "LAYER" "SOURCES;WRAP;LIBS;ENVIRONMENT" ${ARGN})
  set(target test_${name})
  add_executable(${target} test_${name}.c ${arg_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fakes)
  target_link_libraries(${target} PRIVATE ntpl_${arg_LAYER} ${arg_LIBS} PkgConfig::CMOCKA
                                          ntpl_warnings Threads::Threads)
  foreach(symbol IN LISTS arg_WRAP)
    target_link_options(${target} PRIVATE -Wl,--wrap=${symbol})
  endforeach()
  set(test ${NTP_LOGGER_TEST_VARIANT}unit.${arg_LAYER}.${name})
  add_test(NAME ${test} COMMAND ${target})
  set_tests_properties(${test} PROPERTIES LABELS "unit" TIMEOUT 900
                       ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()
