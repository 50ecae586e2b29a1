# Every switch of the build, in one place.

option(NTP_LOGGER_WERROR "Treat compiler warnings as errors (developers and CI)" OFF)
option(NTP_LOGGER_TESTS "Build the tests (needs cmocka)" ON)
option(NTP_LOGGER_COVERAGE "Instrument for gcov" OFF)
set(NTP_LOGGER_SANITIZE "" CACHE STRING "Sanitizers: empty, 'address,undefined' or 'thread'")
set(NTP_LOGGER_PLATFORM "posix" CACHE STRING "What we run on: posix or acap")
set_property(CACHE NTP_LOGGER_PLATFORM PROPERTY STRINGS posix acap)

# Which manifest gives config.json its values; the file's build_arg list holds KEY=VALUE strings.
set(FIXEDIT_MANIFEST "fixedit-manifest.json" CACHE STRING
    "FixedIT manifest to take settings from, relative to the source folder")

# The names the manifests use. Given on the command line, each wins over the manifest.
set(NTP_LOGGER_BUILD_ARGS
    PRESIGNED_URL_TIME_LOG PRESIGNED_URL_NTP_STATUS PRESIGNED_URL_NTP_FAILED_STATUS
    UPLOAD_INTERVAL_S)
foreach(name IN LISTS NTP_LOGGER_BUILD_ARGS)
  set(${name} "" CACHE STRING "Overrides ${name} of the manifest's build_arg list")
endforeach()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
