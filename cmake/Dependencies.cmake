# The libraries the program links, under the same four names in every build:
#
#   ntpl_dep_curl    libcurl                        #include <curl/curl.h>
#   ntpl_dep_cjson   cJSON                          #include <cjson/cJSON.h>
#   ntpl_dep_crypto  OpenSSL's libssl and libcrypto #include <openssl/...>
#   ntpl_dep_zlib    zlib                           #include <zlib.h>
#
# On the developer's machine they are its own packages. With NTP_LOGGER_DEPS set they come from
# that prefix, which tools/cross-deps.sh makes, and nothing of this machine gets in. Then
# NTP_LOGGER_LIBCURL says whose libcurl and OpenSSL it is: "bundled" links the prefix's static
# ones, "device" the camera's own, as the sourced SDK or, without one, the prefix's stubs name it.

set(NTP_LOGGER_DEPS "" CACHE PATH "Prefix made by tools/cross-deps.sh; empty: this machine's own")
set(NTP_LOGGER_LIBCURL "bundled" CACHE STRING "With NTP_LOGGER_DEPS: bundled or device")
set_property(CACHE NTP_LOGGER_LIBCURL PROPERTY STRINGS bundled device)

find_package(PkgConfig REQUIRED)
foreach(dep IN ITEMS curl cjson crypto zlib)
  add_library(ntpl_dep_${dep} INTERFACE)
endforeach()

# ntpl_dep_link(NAME MODULE...): what pkg-config knows under MODULE.
function(ntpl_dep_link name)
  pkg_check_modules(NTPL_DEP_${name} REQUIRED IMPORTED_TARGET ${ARGN})
  target_link_libraries(ntpl_dep_${name} INTERFACE PkgConfig::NTPL_DEP_${name})
endfunction()

# From here on pkg-config sees DIR only.
function(ntpl_dep_only_from dir)
  set(ENV{PKG_CONFIG_LIBDIR} "${dir}")
  unset(ENV{PKG_CONFIG_PATH})
  unset(ENV{PKG_CONFIG_SYSROOT_DIR})
endfunction()

if(NTP_LOGGER_DEPS AND NOT EXISTS "${NTP_LOGGER_DEPS}/lib/pkgconfig/libcjson.pc")
  cmake_path(GET NTP_LOGGER_DEPS FILENAME arch)
  message(FATAL_ERROR "NTP_LOGGER_DEPS: no libraries in ${NTP_LOGGER_DEPS}; "
                      "run tools/cross-deps.sh ${arch} first")
endif()

if(NOT NTP_LOGGER_DEPS)
  ntpl_dep_link(curl libcurl)
  ntpl_dep_link(crypto libssl libcrypto)
  ntpl_dep_link(cjson libcjson)
  ntpl_dep_link(zlib zlib)
elseif(NTP_LOGGER_LIBCURL STREQUAL "device")
  if("$ENV{SDKTARGETSYSROOT}" STREQUAL "")
    ntpl_dep_only_from("${NTP_LOGGER_DEPS}/device/lib/pkgconfig")
  else()
    set(ENV{PKG_CONFIG_LIBDIR} "$ENV{PKG_CONFIG_PATH}")
  endif()
  ntpl_dep_link(curl libcurl)
  ntpl_dep_link(crypto libssl libcrypto)
  ntpl_dep_only_from("${NTP_LOGGER_DEPS}/lib/pkgconfig")
  ntpl_dep_link(cjson libcjson)
  ntpl_dep_link(zlib zlib)
elseif(NTP_LOGGER_LIBCURL STREQUAL "bundled")
  ntpl_dep_only_from("${NTP_LOGGER_DEPS}/lib/pkgconfig")
  ntpl_dep_link(curl libcurl)
  ntpl_dep_link(crypto libssl libcrypto)
  ntpl_dep_link(cjson libcjson)
  ntpl_dep_link(zlib zlib)
else()
  message(FATAL_ERROR "NTP_LOGGER_LIBCURL is '${NTP_LOGGER_LIBCURL}': want bundled or device")
endif()

# A package runs from wherever it is installed: no library path of the build machine.
if(NTP_LOGGER_DEPS)
  set(CMAKE_SKIP_RPATH ON)
endif()
