# add_unit_test(NAME LAYER layer [SOURCES file...] [WRAP symbol...] [LIBS lib...]
#               [ENVIRONMENT NAME=VALUE...])
#
# Builds test_NAME.c (plus SOURCES) into one cmocka program that links LAYER and, through it, the
# layers below, never those above. WRAP replaces libc or kernel calls through the linker. When
# cross-compiling, ctest runs it under CMAKE_CROSSCOMPILING_EMULATOR.

# With 64-bit time on a 32-bit machine the C library's headers give some calls another symbol, and a
# wrap of the name in the source would wrap nothing.
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  set(TIME64_clock_gettime __clock_gettime64)
  set(TIME64_timerfd_settime __timerfd_settime64)
  set(TIME64_adjtimex ___adjtimex64)
  set(TIME64_fstat64 __fstat64_time64)
  set(TIME64_fstatat64 __fstatat64_time64)
  set(TIME64_lstat64 __lstat64_time64)
endif()

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
    if(DEFINED TIME64_${symbol})
      set(real ${TIME64_${symbol}})
      target_compile_definitions(${target} PRIVATE __wrap_${symbol}=__wrap_${real}
                                                   __real_${symbol}=__real_${real})
    else()
      set(real ${symbol})
    endif()
    target_link_options(${target} PRIVATE -Wl,--wrap=${real})
  endforeach()
  set(test ${NTP_LOGGER_TEST_VARIANT}unit.${arg_LAYER}.${name})
  add_test(NAME ${test} COMMAND ${target})
  set_tests_properties(${test} PROPERTIES LABELS "unit" TIMEOUT 900
                       ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()
