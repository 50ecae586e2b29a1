# The libraries the program links, under the same three names in every build:
#
#   ntpl_dep_curl    libcurl                        #include <curl/curl.h>
#   ntpl_dep_cjson   cJSON                          #include <cjson/cJSON.h>
#   ntpl_dep_crypto  OpenSSL's libssl and libcrypto #include <openssl/...>
#
# On the developer's machine they are its own packages, found by pkg-config. With NTP_LOGGER_DEPS
# set, they come from that prefix and nowhere else: tools/cross-deps.sh makes it.

set(NTP_LOGGER_DEPS "" CACHE PATH "Prefix made by tools/cross-deps.sh; empty: this machine's own")

# ntpl_dep_from_system(NAME MODULE...): what pkg-config knows under MODULE.
function(ntpl_dep_from_system name)
  string(MAKE_C_IDENTIFIER "NTPL_${name}" prefix)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${ARGN})
  target_link_libraries(ntpl_dep_${name} INTERFACE PkgConfig::${prefix})
endfunction()

add_library(ntpl_dep_curl INTERFACE)
add_library(ntpl_dep_cjson INTERFACE)
add_library(ntpl_dep_crypto INTERFACE)

if(NOT NTP_LOGGER_DEPS)
  find_package(PkgConfig REQUIRED)
  ntpl_dep_from_system(curl libcurl)
  ntpl_dep_from_system(cjson libcjson)
  ntpl_dep_from_system(crypto libssl libcrypto)
endif()
