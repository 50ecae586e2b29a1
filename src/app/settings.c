#include "settings.h"

#include "redact.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELD(name) offsetof(struct config, name), sizeof(((struct config *)0)->name)
#define WEEK_S      604800
#define YEAR_S      31536000

const struct setting settings[] = {
    {"sample_interval_ms", SETTING_INTEGER, FIELD(sample_interval_ms), 1, 60000, NULL, "1000",
     "one row each so many milliseconds"},
    {"commit_interval_s", SETTING_INTEGER, FIELD(commit_interval_s), 5, 900, NULL, "60",
     "rows are made durable this often; events at once. A power cut loses at most this much"},
    {"upload_interval_s", SETTING_INTEGER, FIELD(upload_interval_s), 1, YEAR_S, NULL, "86400",
     "rows and status leave this often"},
    {"first_upload_s", SETTING_INTEGER, FIELD(first_upload_s), 1, YEAR_S, NULL, "60",
     "the first upload after start, so that a wrong URL is seen at once"},
    {"upload_jitter", SETTING_REAL, FIELD(upload_jitter), 0, 1, NULL, "0.1",
     "share of the interval by which an upload may come later, so that many cameras spread"},
    {"presigned_url_time_log", SETTING_URL, FIELD(presigned_url_time_log), 0, 0, NULL, "",
     "where time_log.csv goes: a presigned PUT URL of a versioned bucket"},
    {"presigned_url_ntp_status", SETTING_URL, FIELD(presigned_url_ntp_status), 0, 0, NULL, "",
     "where ntp_status.txt goes"},
    {"presigned_url_ntp_failed_status", SETTING_URL, FIELD(presigned_url_ntp_failed_status), 0, 0,
     NULL, "", "where ntp_failed_status.txt goes"},
    {"url_source", SETTING_URL, FIELD(url_source), 0, 0, NULL, "",
     "a long-lived HTTPS address that answers JSON with fresh presigned URLs"},
    {"s3_endpoint", SETTING_TEXT, FIELD(s3_endpoint), 0, 0, NULL, "",
     "direct mode: the S3 server, e.g. https://s3.eu-north-1.amazonaws.com"},
    {"s3_region", SETTING_TEXT, FIELD(s3_region), 0, 0, NULL, "", "direct mode: the region"},
    {"s3_bucket", SETTING_TEXT, FIELD(s3_bucket), 0, 0, NULL, "", "direct mode: the bucket"},
    {"s3_prefix", SETTING_TEXT, FIELD(s3_prefix), 0, 0, NULL, "",
     "direct mode: what every key starts with"},
    {"s3_access_key_id", SETTING_TEXT, FIELD(s3_access_key_id), 0, 0, NULL, "",
     "direct mode: a key limited to PUT on the prefix"},
    {"s3_secret_access_key", SETTING_SECRET, FIELD(s3_secret_access_key), 0, 0, NULL, "",
     "direct mode: its secret"},
    {"allow_http", SETTING_BOOL, FIELD(allow_http), 0, 0, NULL, "false",
     "accept http:// addresses; for a laboratory only"},
    {"ca_bundle", SETTING_TEXT, FIELD(ca_bundle), 0, 0, NULL, "",
     "PEM file of trusted certificate authorities; empty: the system's"},
    {"proxy", SETTING_PROXY, FIELD(proxy), 0, 0, NULL, "",
     "HTTP proxy for uploads, http://[USER:PASSWORD@]HOST:PORT; the environment's is never used"},
    {"spool_dir", SETTING_TEXT, FIELD(spool_dir), 0, 0, NULL, "",
     "directory of the rows that wait; empty: localdata/spool beside the program"},
    {"ring_dir", SETTING_TEXT, FIELD(ring_dir), 0, 0, NULL, "/dev/shm",
     "tmpfs for the ring, so that a killed process loses no row; empty: plain memory"},
    {"spool_quota_mib", SETTING_INTEGER, FIELD(spool_quota_mib), 1, 1048576, NULL, "64",
     "the spool's size limit; beyond it the oldest rows go, and the data say so"},
    {"spool_keep_free_mib", SETTING_INTEGER, FIELD(spool_keep_free_mib), 0, 1048576, NULL, "16",
     "space left free on the spool's file system"},
    {"csv_format", SETTING_CHOICE, FIELD(csv_format), 0, 0, "rich|legacy", "rich",
     "legacy: upload the five columns without header that older tools expect"},
    {"compress", SETTING_CHOICE, FIELD(compress), 0, 0, "none|gzip", "none",
     "gzip: send time_log.csv with Content-Encoding gzip"},
    {"chrony_address", SETTING_TEXT, FIELD(chrony_address), 0, 0, NULL, "127.0.0.1:323",
     "chronyd's command port; empty: don't ask chronyd"},
    {"chronyc_path", SETTING_TEXT, FIELD(chronyc_path), 0, 0, NULL, "",
     "chronyc program to run when chronyd does not answer on its port; empty: none"},
    {"ntp_servers", SETTING_TEXT, FIELD(ntp_servers), 0, 0, NULL, "",
     "servers to probe ourselves, comma separated host[:port]; empty: none"},
    {"log_level", SETTING_CHOICE, FIELD(log_level), 0, 0, "error|warning|info|debug", "info",
     "how much to say"},
};

const size_t setting_count = sizeof settings / sizeof settings[0];

static_assert(sizeof settings / sizeof settings[0] <= CONFIG_MAX, "origin[] is large enough");

int setting_error(struct config_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return -EINVAL;
}

const struct setting *setting_find(const char *name)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (strcasecmp(name, settings[i].name) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

void setting_range(const struct setting *setting, char *out, size_t size)
{
    switch (setting->type) {
    case SETTING_INTEGER:
        snprintf(out, size, "a whole number %.0f..%.0f", setting->min, setting->max);
        break;
    case SETTING_REAL:
        snprintf(out, size, "a number %g..%g", setting->min, setting->max);
        break;
    case SETTING_BOOL:
        snprintf(out, size, "true or false");
        break;
    case SETTING_CHOICE:
        snprintf(out, size, "%s", setting->choices);
        break;
    case SETTING_URL:
        snprintf(out, size, "an http(s) URL of at most %zu characters", setting->size - 1);
        break;
    case SETTING_TEXT:
    case SETTING_PROXY:
    case SETTING_SECRET:
        snprintf(out, size, "printable text of at most %zu characters", setting->size - 1);
        break;
    }
}

// What is secret in a value stays out of every message, whichever setting it was given to: it may
// have been meant for another.
static int refuse(const struct setting *setting, const char *value, struct config_error *error)
{
    char range[CONFIG_TEXT_MAX];
    char shown[REDACT_MAX];
    setting_range(setting, range, sizeof range);
    redact(shown, value);
    snprintf(error->text, sizeof error->text, "%s is '%s': want %s", setting->name,
             setting->type == SETTING_SECRET ? "(secret)" : shown, range);
    return -EINVAL;
}

static int set_number(struct config *config, const struct setting *setting, const char *value,
                      struct config_error *error)
{
    char *end = NULL;
    double number = strtod(value, &end);
    bool whole = setting->type == SETTING_REAL || number == floor(number);
    // strtod also takes "inf", "nan" and hex floats: only digits and what JSON allows are meant.
    bool plain = strspn(value, "0123456789+-.eE") == strlen(value) && end != value && *end == '\0';
    if (!plain || !whole || !(number >= setting->min && number <= setting->max)) {
        return refuse(setting, value, error);
    }
    if (setting->type == SETTING_REAL) {
        memcpy((char *)config + setting->offset, &number, sizeof number);
    } else {
        uint32_t integer = (uint32_t)number;
        memcpy((char *)config + setting->offset, &integer, sizeof integer);
    }
    return 0;
}

static int set_bool(struct config *config, const struct setting *setting, const char *value,
                    struct config_error *error)
{
    bool yes =
        strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 || strcmp(value, "1") == 0;
    bool no =
        strcasecmp(value, "false") == 0 || strcasecmp(value, "no") == 0 || strcmp(value, "0") == 0;
    if (!yes && !no) {
        return refuse(setting, value, error);
    }
    memcpy((char *)config + setting->offset, &yes, sizeof yes);
    return 0;
}

static int set_choice(struct config *config, const struct setting *setting, const char *value,
                      struct config_error *error)
{
    uint32_t index = 0;
    size_t length = strlen(value);
    for (const char *p = setting->choices; *p != '\0'; index++) {
        size_t word = strcspn(p, "|");
        if (word == length && strncasecmp(p, value, word) == 0) {
            memcpy((char *)config + setting->offset, &index, sizeof index);
            return 0;
        }
        p += word + (p[word] == '|');
    }
    return refuse(setting, value, error);
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (!isprint((unsigned char)*text)) {
            return false;
        }
    }
    return true;
}

static bool is_http_url(const char *text)
{
    const char *host = strncasecmp(text, "https://", 8) == 0  ? text + 8
                       : strncasecmp(text, "http://", 7) == 0 ? text + 7
                                                              : "";
    return *host != '\0' && *host != '/' && *host != '?' && strchr(text, ' ') == NULL;
}

static int set_text(struct config *config, const struct setting *setting, const char *value,
                    struct config_error *error)
{
    bool url_wrong = setting->type == SETTING_URL && *value != '\0' && !is_http_url(value);
    if (strlen(value) >= setting->size || !is_printable(value) || url_wrong) {
        return refuse(setting, value, error);
    }
    memcpy((char *)config + setting->offset, value, strlen(value) + 1);
    return 0;
}

int setting_set(struct config *config, const struct setting *setting, const char *value,
                struct config_error *error)
{
    switch (setting->type) {
    case SETTING_INTEGER:
    case SETTING_REAL:
        return set_number(config, setting, value, error);
    case SETTING_BOOL:
        return set_bool(config, setting, value, error);
    case SETTING_CHOICE:
        return set_choice(config, setting, value, error);
    case SETTING_TEXT:
    case SETTING_PROXY:
    case SETTING_URL:
    case SETTING_SECRET:
        return set_text(config, setting, value, error);
    }
    return -EINVAL;
}

static void format_choice(const struct setting *setting, uint32_t index, char *out, size_t size)
{
    const char *p = setting->choices;
    for (; index > 0; index--) {
        p += strcspn(p, "|") + 1;
    }
    snprintf(out, size, "%.*s", (int)strcspn(p, "|"), p);
}

static void format_text(const struct setting *setting, const char *text, bool show_secrets,
                        char *out, size_t size)
{
    char shown[REDACT_MAX];
    if (show_secrets || *text == '\0' || setting->type == SETTING_TEXT) {
        snprintf(out, size, "%s", text);
    } else if (setting->type == SETTING_SECRET) {
        snprintf(out, size, "********");
    } else {
        redact(shown, text);
        snprintf(out, size, "%s", shown);
    }
}

void setting_format(const struct config *config, const struct setting *setting, bool show_secrets,
                    char *out, size_t size)
{
    const char *at = (const char *)config + setting->offset;
    uint32_t integer = 0;
    double real = 0;
    bool yes = false;
    switch (setting->type) {
    case SETTING_INTEGER:
        memcpy(&integer, at, sizeof integer);
        snprintf(out, size, "%u", integer);
        break;
    case SETTING_REAL:
        memcpy(&real, at, sizeof real);
        snprintf(out, size, "%g", real);
        break;
    case SETTING_BOOL:
        memcpy(&yes, at, sizeof yes);
        snprintf(out, size, "%s", yes ? "true" : "false");
        break;
    case SETTING_CHOICE:
        memcpy(&integer, at, sizeof integer);
        format_choice(setting, integer, out, size);
        break;
    case SETTING_TEXT:
    case SETTING_PROXY:
    case SETTING_URL:
    case SETTING_SECRET:
        format_text(setting, at, show_secrets, out, size);
        break;
    }
}
