#include "config_check.h"

#include "redact.h"
#include "settings.h"
#include "timesource/udp_address.h"
#include "upload/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NTP_PORT 123

static int check_url(const char *name, const char *url, bool allow_http, struct config_error *error)
{
    struct url_facts facts;
    const char *why = "";
    char shown[REDACT_MAX];
    redact(shown, url);
    if (!allow_http && strncasecmp(url, "http://", 7) == 0) {
        return setting_error(
            error,
            "%s is '%s': rows would travel unencrypted; use https, or set allow_http to "
            "true in a laboratory",
            name, shown);
    }
    if (*url != '\0' && url_check(url, allow_http, &facts, &why) != 0) {
        return setting_error(error, "%s is '%s': %s", name, shown, why);
    }
    return 0;
}

static int check_urls(const struct config *config, struct config_error *error)
{
    int result = check_url("s3_endpoint", config->s3_endpoint, config->allow_http, error);
    for (size_t i = 0; i < setting_count && result == 0; i++) {
        if (settings[i].type == SETTING_URL) {
            const char *url = (const char *)config + settings[i].offset;
            result = check_url(settings[i].name, url, config->allow_http, error);
        }
    }
    return result;
}

static bool is_proxy_scheme(const char *proxy, size_t length)
{
    return length == 0 || (length == 4 && strncasecmp(proxy, "http", 4) == 0) ||
           (length == 5 && strncasecmp(proxy, "https", 5) == 0);
}

// Like any address, but for a user name and password, and a scheme that may be missing.
static int check_proxy(const char *proxy, struct config_error *error)
{
    struct url_facts facts;
    const char *why = "its scheme is neither http nor https";
    char shown[REDACT_MAX];
    char url[CONFIG_TEXT_MAX + sizeof "http://"];
    const char *scheme_end = strstr(proxy, "://");
    const char *authority = scheme_end != NULL ? scheme_end + 3 : proxy;
    const char *at = strrchr(authority, '@');
    snprintf(url, sizeof url, "http://%s", at != NULL ? at + 1 : authority);
    size_t scheme = scheme_end != NULL ? (size_t)(scheme_end - proxy) : 0;
    if (*proxy == '\0' || (is_proxy_scheme(proxy, scheme) && url_parse(url, &facts, &why) == 0)) {
        return 0;
    }
    redact(shown, proxy);
    return setting_error(error, "proxy is '%s': %s; want http://[USER:PASSWORD@]HOST:PORT", shown,
                         why);
}

static int check_direct_mode(const struct config *config, struct config_error *error)
{
    const char *const needed[] = {config->s3_endpoint, config->s3_region, config->s3_bucket,
                                  config->s3_access_key_id, config->s3_secret_access_key};
    const size_t count = sizeof needed / sizeof needed[0];
    size_t given = 0;
    for (size_t i = 0; i < count; i++) {
        given += *needed[i] != '\0';
    }
    if (given != 0 && given != count) {
        return setting_error(error,
                             "direct mode needs all of s3_endpoint, s3_region, s3_bucket, "
                             "s3_access_key_id and s3_secret_access_key; %zu of %zu are set",
                             given, count);
    }
    return 0;
}

static int check_servers(const char *servers, struct config_error *error)
{
    static const char separators[] = ", ";
    char host[UDP_HOST_MAX];
    uint16_t port = 0;
    for (const char *p = servers + strspn(servers, separators); *p != '\0';) {
        char item[CONFIG_TEXT_MAX];
        size_t length = strcspn(p, separators);
        snprintf(item, sizeof item, "%.*s", (int)length, p);
        if (udp_address_split(item, NTP_PORT, host, &port) != 0) {
            return setting_error(
                error, "ntp_servers has '%s': want host or host:port, comma separated", item);
        }
        p += length;
        p += strspn(p, separators);
    }
    return 0;
}

int config_check(const struct config *config, struct config_error *error)
{
    struct udp_address address;
    if (config->chrony_address[0] != '\0' &&
        udp_address_parse(&address, config->chrony_address, 0) != 0) {
        return setting_error(
            error,
            "chrony_address is '%s': want a numeric address and a port, as 127.0.0.1:323 or "
            "[::1]:323",
            config->chrony_address);
    }
    int result = check_servers(config->ntp_servers, error);
    if (result == 0) {
        result = check_proxy(config->proxy, error);
    }
    if (result == 0) {
        result = check_direct_mode(config, error);
    }
    return result == 0 ? check_urls(config, error) : result;
}
