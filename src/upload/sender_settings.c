#include "sender_settings.h"

#include "upload/s3_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static struct s3_place place_of(const char *endpoint, const char *bucket, const char *prefix)
{
    return (struct s3_place){.endpoint = endpoint, .bucket = bucket, .prefix = prefix};
}

static int check_urls(const struct sender_config *config)
{
    const char *urls[OBJECT_COUNT + 2] = {
        [OBJECT_COUNT] = config->url_source,
        [OBJECT_COUNT + 1] = config->s3_endpoint,
    };
    memcpy(urls, config->urls, sizeof config->urls);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct url_facts facts;
        const char *why;
        const char *url = text_or_empty(urls[i]);
        if (url[0] != '\0' && url_check(url, config->allow_http, &facts, &why) != 0) {
            return -EINVAL;
        }
    }
    return 0;
}

static int check_texts(const struct sender_config *config)
{
    const char *const texts[] = {config->s3_endpoint, config->s3_region, config->s3_bucket,
                                 config->s3_prefix,   config->s3_key_id, config->s3_secret,
                                 config->ca_bundle,   config->proxy,     config->user_agent};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strnlen(text_or_empty(texts[i]), SENDER_TEXT_MAX) == SENDER_TEXT_MAX) {
            return -ENAMETOOLONG;
        }
    }
    return 0;
}

int sender_settings_check(const struct sender_config *config)
{
    int result = check_urls(config);
    if (result == 0) {
        result = check_texts(config);
    }
    if (result != 0 || text_or_empty(config->s3_endpoint)[0] == '\0') {
        return result;
    }
    char url[URL_MAX];
    struct s3_place place = place_of(config->s3_endpoint, text_or_empty(config->s3_bucket),
                                     text_or_empty(config->s3_prefix));
    return s3_key_url(url, sizeof url, &place, "");
}

static void take_text(char *out, const char *text)
{
    snprintf(out, SENDER_TEXT_MAX, "%s", text_or_empty(text));
}

void sender_settings_take(struct sender_settings *settings, const struct sender_config *config)
{
    snprintf(settings->url_source, URL_MAX, "%s", text_or_empty(config->url_source));
    take_text(settings->s3_endpoint, config->s3_endpoint);
    take_text(settings->s3_region, config->s3_region);
    take_text(settings->s3_bucket, config->s3_bucket);
    take_text(settings->s3_prefix, config->s3_prefix);
    take_text(settings->s3_key_id, config->s3_key_id);
    take_text(settings->s3_secret, config->s3_secret);
    take_text(settings->ca_bundle, config->ca_bundle);
    take_text(settings->proxy, config->proxy);
    take_text(settings->user_agent, config->user_agent);
    settings->allow_http = config->allow_http;
    settings->compress = config->compress;
    sender_settings_raise_floor(settings, config->time_floor_s);
}

void sender_settings_raise_floor(struct sender_settings *settings, int64_t time_s)
{
    if (settings->time_floor_s < time_s) {
        settings->time_floor_s = time_s;
    }
}

bool sender_settings_direct(const struct sender_settings *settings)
{
    return settings->s3_endpoint[0] != '\0';
}

int sender_settings_url(const struct sender_settings *settings, const char *name, char *out,
                        size_t size)
{
    struct s3_place place =
        place_of(settings->s3_endpoint, settings->s3_bucket, settings->s3_prefix);
    return s3_key_url(out, size, &place, name);
}
