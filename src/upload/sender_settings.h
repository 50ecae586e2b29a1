/*
 * The sender's settings as plain text of fixed size, so that an attempt can have a copy of its own.
 * Private to the sender.
 */
#ifndef UPLOAD_SENDER_SETTINGS_H
#define UPLOAD_SENDER_SETTINGS_H

#include "upload/sender_config.h"
#include "upload/url.h"

#include <stddef.h>

struct sender_settings {
    char url_source[URL_MAX];
    char s3_endpoint[SENDER_TEXT_MAX];
    char s3_region[SENDER_TEXT_MAX];
    char s3_bucket[SENDER_TEXT_MAX];
    char s3_prefix[SENDER_TEXT_MAX];
    char s3_key_id[SENDER_TEXT_MAX];
    char s3_secret[SENDER_TEXT_MAX];
    char ca_bundle[SENDER_TEXT_MAX];
    char proxy[SENDER_TEXT_MAX];
    char user_agent[SENDER_TEXT_MAX];
    int64_t time_floor_s;
    bool allow_http;
    bool compress;
};

/* As sender_open says. */
int sender_settings_check(const struct sender_config *config);

/* Takes all but the three URLs of a CONFIG that was checked. The time floor only rises. */
void sender_settings_take(struct sender_settings *settings, const struct sender_config *config);

void sender_settings_raise_floor(struct sender_settings *settings, int64_t time_s);

/* Do we sign for ourselves? */
bool sender_settings_direct(const struct sender_settings *settings);

/* Direct mode: where the object NAME goes. 0, or as s3_key_url. */
int sender_settings_url(const struct sender_settings *settings, const char *name, char *out,
                        size_t size);

#endif
