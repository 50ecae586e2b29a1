# Sanitizers and coverage are whole-program switches.

if(NTP_LOGGER_SANITIZE)
  add_compile_options(-fsanitize=${NTP_LOGGER_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${NTP_LOGGER_SANITIZE})
endif()
if(NTP_LOGGER_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()

# Leads the names of tests, so that one ctest over several variants says which one failed.
set(NTP_LOGGER_TEST_VARIANT "")
if(NTP_LOGGER_SANITIZE MATCHES "thread")
  set(NTP_LOGGER_TEST_VARIANT "tsan.")
elseif(NTP_LOGGER_SANITIZE)
  set(NTP_LOGGER_TEST_VARIANT "asan.")
endif()
