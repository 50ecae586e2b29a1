/*
 * The table of settings: one row each, everything else is derived from it. Private to this layer.
 */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include "app/config.h"

enum setting_type {
    SETTING_INTEGER, /* uint32_t, min..max */
    SETTING_REAL,    /* double, min..max */
    SETTING_BOOL,
    SETTING_CHOICE, /* uint32_t: index into choices */
    SETTING_TEXT,
    SETTING_PROXY,  /* text, an address; a user name and password in it are secret */
    SETTING_URL,    /* text, http(s), whose query is secret */
    SETTING_SECRET, /* text, never shown */
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset; /* in struct config */
    size_t size;   /* of a text's array */
    double min;
    double max;
    const char *choices; /* "rich|legacy" */
    const char *initial; /* the default, as text */
    const char *help;
};

extern const struct setting settings[];
extern const size_t setting_count;

/* The setting called NAME, any case, or NULL. */
const struct setting *setting_find(const char *name);

/* Writes the message, one line. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) int setting_error(struct config_error *error,
                                                        const char *format, ...);

/*
 * Parses VALUE into CONFIG. 0, or -EINVAL with ERROR: "<name> is '<value>': want ...", the value
 * redacted where it is a secret.
 */
int setting_set(struct config *config, const struct setting *setting, const char *value,
                struct config_error *error);

/* The value as text; SHOW_SECRETS false masks keys and queries. */
void setting_format(const struct config *config, const struct setting *setting, bool show_secrets,
                    char *out, size_t size);

/* What values are allowed, in words: "1..604800", "rich|legacy", "http(s) URL". */
void setting_range(const struct setting *setting, char *out, size_t size);

#endif
