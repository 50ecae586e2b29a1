# Writes config.json beside the binary: the manifest's build_arg values, then the environment's of
# the same names (how the camera builders pass them), then what -D overrides. Values reach the
# program through that file only; none is compiled in or shown.

set(manifest_path "${PROJECT_SOURCE_DIR}/${FIXEDIT_MANIFEST}")
if(NOT EXISTS "${manifest_path}")
  message(FATAL_ERROR "FIXEDIT_MANIFEST: no file '${FIXEDIT_MANIFEST}' in ${PROJECT_SOURCE_DIR}; "
                      "give fixedit-manifest.json or fixedit-manifest.hourly.json")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${manifest_path}")

# Quotes text as a JSON string (the values are URLs: only these two characters need care).
function(json_quote text out)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  set(${out} "\"${text}\"" PARENT_SCOPE)
endfunction()

file(READ "${manifest_path}" fixedit)
string(JSON count ERROR_VARIABLE json_error LENGTH "${fixedit}" build build_arg)
if(json_error)
  message(FATAL_ERROR "${FIXEDIT_MANIFEST}: no build.build_arg list (${json_error})")
endif()
set(config "{}")
set(index 0)
while(index LESS count)
  string(JSON entry GET "${fixedit}" build build_arg ${index})
  if(NOT entry MATCHES "^([A-Z][A-Z0-9_]*)=(.*)$")
    message(FATAL_ERROR "${FIXEDIT_MANIFEST}: build_arg number ${index} is not KEY=VALUE")
  endif()
  set(arg_name "${CMAKE_MATCH_1}")
  set(arg_value "${CMAKE_MATCH_2}")
  if(NOT arg_name IN_LIST NTP_LOGGER_BUILD_ARGS)
    message(FATAL_ERROR "${FIXEDIT_MANIFEST}: unknown build_arg '${arg_name}'; "
                        "known: ${NTP_LOGGER_BUILD_ARGS}")
  endif()
  set(manifest_${arg_name} "${arg_value}")
  math(EXPR index "${index} + 1")
endwhile()

foreach(name IN LISTS NTP_LOGGER_BUILD_ARGS)
  set(value "${manifest_${name}}")
  if(NOT "$ENV{${name}}" STREQUAL "")
    set(value "$ENV{${name}}")
  endif()
  if(NOT "${${name}}" STREQUAL "")
    set(value "${${name}}")
  endif()
  if(NOT "${value}" STREQUAL "")
    string(TOLOWER "${name}" setting)
    if(name MATCHES "_S$")
      if(NOT value MATCHES "^[1-9][0-9]*$")
        message(FATAL_ERROR "${name} is '${value}': want a whole number of seconds")
      endif()
      string(JSON config SET "${config}" "${setting}" "${value}")
    else()
      json_quote("${value}" quoted)
      string(JSON config SET "${config}" "${setting}" "${quoted}")
    endif()
  endif()
endforeach()

# The URLs are secrets: the file is for its owner only, and written whole.
set(config_dir "${PROJECT_BINARY_DIR}")
file(WRITE "${config_dir}/config.json.new" "${config}\n")
file(CHMOD "${config_dir}/config.json.new" PERMISSIONS OWNER_READ OWNER_WRITE)
file(RENAME "${config_dir}/config.json.new" "${config_dir}/config.json")

# SOURCE_DATE_EPOCH, else the commit's date: two builds of one commit give the same bytes. A tree
# without history has only the present.
set(NTP_LOGGER_BUILD_TIME_S "$ENV{SOURCE_DATE_EPOCH}")
if(NOT NTP_LOGGER_BUILD_TIME_S)
  execute_process(COMMAND git -C "${PROJECT_SOURCE_DIR}" log -1 --format=%ct
                  OUTPUT_VARIABLE NTP_LOGGER_BUILD_TIME_S OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET)
endif()
if(NOT NTP_LOGGER_BUILD_TIME_S MATCHES "^[0-9]+$")
  string(TIMESTAMP NTP_LOGGER_BUILD_TIME_S "%s" UTC)
endif()

configure_file("${PROJECT_SOURCE_DIR}/cmake/build_config.h.in"
               "${PROJECT_BINARY_DIR}/generated/build_config.h" @ONLY)
