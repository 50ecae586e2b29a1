# Target `eap`: the camera package, its bill of materials beside it, and the whole checklist run on
# it. Only in the presets of a camera's architecture.

set(NTP_LOGGER_MANIFEST "app/manifest.json" CACHE STRING
    "Camera manifest: app/manifest.json (AXIS OS 11 and 12) or app/manifest.v2.json (12.10 and 13)")
set_property(CACHE NTP_LOGGER_MANIFEST PROPERTY STRINGS app/manifest.json app/manifest.v2.json)

if(NOT EXISTS "${PROJECT_SOURCE_DIR}/${NTP_LOGGER_MANIFEST}")
  message(FATAL_ERROR "NTP_LOGGER_MANIFEST: no file '${NTP_LOGGER_MANIFEST}' in "
                      "${PROJECT_SOURCE_DIR}; give app/manifest.json or app/manifest.v2.json")
endif()

find_program(NTP_LOGGER_PACK_PYTHON NAMES python3 HINTS /usr/bin
             DOC "Any Python from 3.9 on; the packager needs its standard library only")
if(NOT NTP_LOGGER_PACK_PYTHON)
  message(STATUS "no python3: there is no target eap")
  return()
endif()

file(READ "${PROJECT_SOURCE_DIR}/${NTP_LOGGER_MANIFEST}" manifest)
string(JSON eap_name GET "${manifest}" acapPackageConf setup friendlyName)
string(REPLACE " " "_" eap_name "${eap_name}")
string(REPLACE "." "_" eap_version "${PROJECT_VERSION}")
set(eap "${PROJECT_BINARY_DIR}/${eap_name}_${eap_version}_${CMAKE_SYSTEM_PROCESSOR}.eap")

# Always made anew: config.json may have changed without any target knowing.
add_custom_target(eap
  COMMAND ${CMAKE_STRIP} --strip-all -o ntp_logger.stripped $<TARGET_FILE:ntp_logger>
  COMMAND ${NTP_LOGGER_PACK_PYTHON} ${PROJECT_SOURCE_DIR}/tools/make_eap.py
          --manifest ${PROJECT_SOURCE_DIR}/${NTP_LOGGER_MANIFEST}
          --app ${PROJECT_SOURCE_DIR}/app
          --arch ${CMAKE_SYSTEM_PROCESSOR}
          --binary ntp_logger.stripped
          --config ${PROJECT_BINARY_DIR}/config.json
          --deps ${NTP_LOGGER_DEPS}
          --libcurl ${NTP_LOGGER_LIBCURL}
          --output ${PROJECT_BINARY_DIR}
  COMMAND ${NTP_LOGGER_PACK_PYTHON} ${PROJECT_SOURCE_DIR}/tools/check_eap.py
          --quiet --libcurl ${NTP_LOGGER_LIBCURL} ${eap}
  WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
  DEPENDS ntp_logger
  COMMENT "Packing ${eap}"
  VERBATIM)
