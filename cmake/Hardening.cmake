# What a release binary is hardened with. Left out under sanitizers: FORTIFY hides their findings.

add_library(ntpl_hardening INTERFACE)
if(NOT NTP_LOGGER_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(ntpl_hardening INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
    -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks -fno-strict-overflow
    -ffunction-sections -fdata-sections -Werror=format-security)
  target_link_options(ntpl_hardening INTERFACE
    -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed,--gc-sections)
  # Cameras look for libraries of libraries along RPATH, which RUNPATH would switch off.
  target_link_options(ntpl_hardening INTERFACE -Wl,--disable-new-dtags)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(ntpl_hardening INTERFACE -fcf-protection)
  elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
    target_compile_options(ntpl_hardening INTERFACE -mbranch-protection=standard)
  endif()
endif()
# Paths of the build machine stay out of the binary, so two folders give the same bytes.
target_compile_options(ntpl_hardening INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
