/*
 * Reads the settings from everywhere and shows them.
 *
 * One table (src/app/settings.c) feeds all of: defaults < config.json of the package <
 * localdata/config.json < the device's parameters < environment NTP_LOGGER_* < command line, the
 * checks, --print-config, --help and the README's table. No secret is ever echoed. Main thread.
 */
#ifndef APP_CONFIG_LOAD_H
#define APP_CONFIG_LOAD_H

#include "app/config.h"

#include <stdio.h>

#define CONFIG_ENVIRONMENT_PREFIX "NTP_LOGGER_"

/* Where to look. Strings are the caller's; see inputs.h for those that others could see. */
struct config_inputs {
    const char *file; /* --config: replaces the two files below; must exist. NULL = none given */
    char *const *assignments; /* --set KEY=VALUE */
    size_t assignment_count;
    char *const *environment; /* NTP_LOGGER_<NAME>=VALUE among others; NULL-terminated, or NULL */
};

/* Reads everything into CONFIG. 0, or -EINVAL with ERROR saying what is wrong; then CONFIG is
 * untouched. */
int config_load(struct config *config, const struct config_inputs *inputs,
                struct config_error *error);

/* The two files config_load read, for watching: "" where there is none. */
const char *config_package_file(void);
const char *config_local_file(void);

/* Do both hold the same values, wherever they came from? */
bool config_same(const struct config *a, const struct config *b);

/* Every setting: name, value (secrets masked), origin. */
void config_print(const struct config *config, FILE *out);

/* Name, type, range, default and meaning of every setting: for --help, or as the README's table. */
void config_print_help(FILE *out);
void config_print_markdown(FILE *out);

#endif
