#include "upload/url.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

// SigV4 allows a week; a longer life means that we misread it.
#define SIGV4_LIFE_MAX_S 604800
// SigV2's Expires is an absolute time; this is the year 9999.
#define EPOCH_MAX_S INT64_C(253402300799)

static const char *skip_scheme(const char *url, bool *https)
{
    static const char http[] = "http://";
    static const char secure[] = "https://";
    *https = strncasecmp(url, secure, sizeof secure - 1) == 0;
    if (*https) {
        return url + sizeof secure - 1;
    }
    return strncasecmp(url, http, sizeof http - 1) == 0 ? url + sizeof http - 1 : NULL;
}

static bool has_forbidden_byte(const char *url)
{
    for (const char *p = url; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}", *p) != NULL) {
            return true;
        }
    }
    return false;
}

// Digits only, at most MAX; false also for an empty text.
static bool parse_number(const char *text, size_t len, int64_t max, int64_t *value)
{
    int64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        number = number * 10 + (text[i] - '0');
        if (number > max) {
            return false;
        }
    }
    *value = number;
    return len > 0;
}

static const char *check_authority(const char *host, size_t len)
{
    if (memchr(host, '@', len) != NULL) {
        return "a user name or password in it is not supported";
    }
    // A bracketed IPv6 address has colons of its own.
    const char *bracket = memrchr(host, ']', len);
    const char *name_end = bracket != NULL ? bracket + 1 : host;
    const char *colon = memchr(name_end, ':', len - (size_t)(name_end - host));
    size_t name_len = colon != NULL ? (size_t)(colon - host) : len;
    if (name_len == 0) {
        return "it names no host";
    }
    int64_t port;
    if (colon != NULL &&
        (!parse_number(colon + 1, len - name_len - 1, 65535, &port) || port == 0)) {
        return "its port is not a number from 1 to 65535";
    }
    return NULL;
}

// The value of the query parameter NAME, not decoded: those we read need no escapes.
static const char *find_parameter(const char *query, const char *name, size_t *len)
{
    size_t name_len = strlen(name);
    while (*query != '\0') {
        size_t part = strcspn(query, "&");
        if (part > name_len && query[name_len] == '=' && strncmp(query, name, name_len) == 0) {
            *len = part - name_len - 1;
            return query + name_len + 1;
        }
        query += part;
        query += *query == '&';
    }
    return NULL;
}

// "20261122T154500Z"
static bool parse_amz_date(const char *text, size_t len, int64_t *seconds)
{
    static const char shape[] = "00000000T000000Z";
    char copy[sizeof shape];
    if (len != sizeof shape - 1) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '0' ? !digit : text[i] != shape[i]) {
            return false;
        }
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct tm tm = {0};
    if (strptime(copy, "%Y%m%dT%H%M%SZ", &tm) == NULL) {
        return false;
    }
    *seconds = (int64_t)timegm(&tm);
    return true;
}

static void read_sigv4(const char *query, struct url_facts *facts)
{
    size_t date_len;
    size_t life_len;
    const char *date = find_parameter(query, "X-Amz-Date", &date_len);
    const char *life = find_parameter(query, "X-Amz-Expires", &life_len);
    int64_t life_s;
    facts->signature = URL_SIGV4;
    facts->expires = date != NULL && life != NULL &&
                     parse_amz_date(date, date_len, &facts->signed_s) &&
                     parse_number(life, life_len, SIGV4_LIFE_MAX_S, &life_s);
    if (facts->expires) {
        facts->expiry_s = facts->signed_s + life_s;
    }
}

static void read_sigv2(const char *query, struct url_facts *facts)
{
    size_t len;
    const char *expires = find_parameter(query, "Expires", &len);
    facts->signature = URL_SIGV2;
    facts->expires = expires != NULL && parse_number(expires, len, EPOCH_MAX_S, &facts->expiry_s);
}

static void read_signature(const char *query, struct url_facts *facts)
{
    size_t len;
    if (find_parameter(query, "X-Amz-Signature", &len) != NULL) {
        read_sigv4(query, facts);
    } else if (find_parameter(query, "Signature", &len) != NULL) {
        read_sigv2(query, facts);
    }
}

size_t url_public_length(const char *text)
{
    static const char *const encoded[] = {"%3F", "%26", "%23"};
    size_t len = strcspn(text, "?&#");
    for (size_t i = 0; i < sizeof encoded / sizeof encoded[0]; i++) {
        const char *found = strcasestr(text, encoded[i]);
        if (found != NULL && (size_t)(found - text) < len) {
            len = (size_t)(found - text);
        }
    }
    return len;
}

static void copy_where(const char *url, char *where)
{
    static const char cut[] = "...";
    size_t len = url_public_length(url);
    if (len < URL_WHERE_MAX) {
        memcpy(where, url, len);
        where[len] = '\0';
        return;
    }
    size_t keep = URL_WHERE_MAX - sizeof cut;
    memcpy(where, url, keep);
    memcpy(where + keep, cut, sizeof cut);
}

int url_parse(const char *url, struct url_facts *facts, const char **why)
{
    *facts = (struct url_facts){.signature = URL_UNSIGNED};
    *why = NULL;
    const char *host = skip_scheme(url, &facts->https);
    if (host == NULL) {
        *why = "it does not start with http:// or https://";
    } else if (strnlen(url, URL_MAX) == URL_MAX) {
        *why = "it is longer than 8191 bytes";
    } else if (has_forbidden_byte(url)) {
        *why = "it contains a space or another character that must be percent-encoded";
    } else if (strchr(url, '#') != NULL) {
        *why = "it contains a fragment (#)";
    } else {
        *why = check_authority(host, strcspn(host, "/?"));
    }
    if (*why != NULL) {
        return -EINVAL;
    }
    copy_where(url, facts->where);
    const char *query = strchr(url, '?');
    if (query != NULL) {
        read_signature(query + 1, facts);
    }
    return 0;
}

int url_check(const char *url, bool allow_http, struct url_facts *facts, const char **why)
{
    int result = url_parse(url, facts, why);
    if (result == 0 && !facts->https && !allow_http) {
        *why = "it is not https, and allow_http is not set";
        result = -EINVAL;
    }
    return result;
}
