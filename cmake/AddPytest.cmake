# add_pytest(NAME FILES file... [LABELS label...] [ARGS arg...] [TIMEOUT s] [BINARY target])
#
# One ctest that runs pytest on FILES of the current folder, with Debian's Python: the modules that
# the tests use come from its packages. BINARY is passed on as NTP_LOGGER_BIN.

find_program(NTP_LOGGER_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH
             DOC "Debian's Python, with pytest and boto3")

function(add_pytest name)
  cmake_parse_arguments(arg "" "TIMEOUT;BINARY" "FILES;LABELS;ARGS" ${ARGN})
  if(NOT NTP_LOGGER_PYTHON)
    message(WARNING "no /usr/bin/python3: ${name} is left out; run tools/install-deps.sh lab tools")
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  set(environment "PYTHONDONTWRITEBYTECODE=1")
  if(arg_BINARY)
    list(APPEND environment "NTP_LOGGER_BIN=$<TARGET_FILE:${arg_BINARY}>")
  endif()
  set(test ${NTP_LOGGER_TEST_VARIANT}${name})
  add_test(NAME ${test}
           COMMAND ${NTP_LOGGER_PYTHON} -m pytest -q ${arg_ARGS} ${arg_FILES}
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${test} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
                       ENVIRONMENT "${environment}")
endfunction()
