# One target that every layer and test links: language level and warnings.

add_library(ntpl_warnings INTERFACE)
target_compile_options(ntpl_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wmissing-prototypes
  -Wstrict-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla
  -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion)
if(NTP_LOGGER_WERROR)
  target_compile_options(ntpl_warnings INTERFACE -Werror)
endif()
