#include "timesource/sntp.h"

#include "timesource/ntp_probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NTP_PORT 123

// What the daemon calls its bound is partly an estimate; nobody's recording minds a millisecond.
#define CONTRADICTION_SLACK_NS NS_PER_MS

// A server that has been silent for this many of its intervals has no say.
#define INTERVALS_HEARD 4

#define SEPARATORS ", \t"

struct server {
    struct ntp_probe probe;
    bool was_compared;
    bool disagrees;
};

struct sntp {
    struct timesource base;
    uint32_t count;
    struct clock_reading now; // of the newest read
    struct server servers[REPORT_PROBES_MAX];
};

static enum clock_status status_of_leap(uint16_t leap)
{
    switch (leap) {
    case NTP_LEAP_INSERT:
        return STATUS_INSERT_SECOND;
    case NTP_LEAP_DELETE:
        return STATUS_DELETE_SECOND;
    default:
        return STATUS_NORMAL; // a server that is not synchronised gives no sample
    }
}

static int64_t magnitude(int64_t ns)
{
    return ns < 0 ? -ns : ns;
}

static void fill_reading(const struct ntp_probe *probe, const struct ntp_estimate *estimate,
                         const struct clock_reading *now, struct reading *out)
{
    int64_t root_delay_ns = probe->sample.root_delay_ns + probe->sample.delay_ns;
    *out = (struct reading){
        .valid = VALID_CLOCK_DIFF | VALID_STRATUM | VALID_REF_AGE | VALID_ROOT_DELAY |
                 VALID_ROOT_DISPERSION | VALID_ERROR_BOUND | VALID_UPDATE_INTERVAL,
        .source = SOURCE_SNTP,
        .status = status_of_leap(probe->sample.leap),
        .stratum = (uint16_t)(probe->sample.stratum + 1), // as if we were its client
        .clock_diff_ns = estimate->offset_ns,
        .ref_age_ns = mono_diff_ns(now->mono, probe->answered_at),
        .root_delay_ns = root_delay_ns,
        .root_dispersion_ns = estimate->bound_ns - root_delay_ns / 2,
        .error_bound_ns = magnitude(estimate->offset_ns) + estimate->bound_ns,
        .update_interval_ns = probe->schedule.floor_ns,
    };
}

static int sntp_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    struct sntp *s = (struct sntp *)source;
    const struct ntp_probe *best = NULL;
    struct ntp_estimate best_estimate = {0};
    (void)deadline; // it never waits
    s->now = clocks_read();
    for (uint32_t i = 0; i < s->count; i++) {
        ntp_probe_run(&s->servers[i].probe, &s->now);
    }
    s->now = clocks_read(); // a sample may be younger than the first reading
    for (uint32_t i = 0; i < s->count; i++) {
        struct ntp_estimate estimate;
        if (ntp_probe_estimate(&s->servers[i].probe, &s->now, &estimate) &&
            (best == NULL || estimate.bound_ns < best_estimate.bound_ns)) {
            best = &s->servers[i].probe;
            best_estimate = estimate;
        }
    }
    if (best == NULL) {
        return -EAGAIN;
    }
    fill_reading(best, &best_estimate, &s->now, out);
    return 0;
}

static void compare(struct server *server, const struct clock_reading *now,
                    const struct reading *reading)
{
    struct ntp_estimate estimate;
    if (!server->probe.is_new || !ntp_probe_estimate(&server->probe, now, &estimate)) {
        return;
    }
    int64_t daemon_bound_ns = reading->error_bound_ns - magnitude(reading->clock_diff_ns);
    int64_t apart_ns = magnitude(estimate.offset_ns / 2 - reading->clock_diff_ns / 2);
    int64_t allowed_ns = estimate.bound_ns + daemon_bound_ns + CONTRADICTION_SLACK_NS;
    server->disagrees = apart_ns > allowed_ns / 2; // in halves: two clocks a century apart
    server->was_compared = true;
    server->probe.is_new = false;
}

bool sntp_contradicts(struct timesource *source, const struct reading *reading)
{
    struct sntp *s = (struct sntp *)source;
    const uint32_t needed = VALID_CLOCK_DIFF | VALID_ERROR_BOUND;
    int balance = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        struct server *server = &s->servers[i];
        const struct ntp_probe *probe = &server->probe;
        if ((reading->valid & needed) == needed) {
            compare(server, &s->now, reading);
        }
        int64_t silent_ns = mono_diff_ns(s->now.mono, probe->answered_at);
        if (server->was_compared && silent_ns < INTERVALS_HEARD * probe->schedule.floor_ns) {
            balance += server->disagrees ? 1 : -1;
        }
    }
    return balance > 0;
}

static void sntp_report(struct timesource *source, struct source_report *out)
{
    const struct sntp *s = (const struct sntp *)source;
    out->valid |= REPORT_PROBES;
    out->probe_count = s->count;
    for (uint32_t i = 0; i < s->count; i++) {
        ntp_probe_report(&s->servers[i].probe, &s->now, &out->probes[i]);
    }
}

static void release(struct sntp *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        ntp_probe_close(&s->servers[i].probe);
    }
    free(s);
}

static void sntp_close(struct timesource *source)
{
    release((struct sntp *)source);
}

static const struct timesource_ops sntp_ops = {
    .name = "sntp",
    .read = sntp_read,
    .report = sntp_report,
    .close = sntp_close,
};

static bool is_host(const char *host)
{
    for (; *host != '\0'; host++) {
        if (!isalnum((unsigned char)*host) && strchr(".-_:%", *host) == NULL) {
            return false;
        }
    }
    return true;
}

static int add_server(struct sntp *s, const char *text, size_t length, mono_time now)
{
    char entry[UDP_HOST_MAX + 8];
    char host[UDP_HOST_MAX];
    uint16_t port;
    if (s->count == REPORT_PROBES_MAX || length >= sizeof entry) {
        return -EINVAL;
    }
    memcpy(entry, text, length);
    entry[length] = '\0';
    if (udp_address_split(entry, NTP_PORT, host, &port) != 0 || !is_host(host)) {
        return -EINVAL;
    }
    ntp_probe_init(&s->servers[s->count++].probe, host, port, now);
    return 0;
}

int sntp_open(struct timesource **source, const char *servers)
{
    struct sntp *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return -ENOMEM;
    }
    s->base.ops = &sntp_ops;
    s->now = clocks_read();
    const char *at = servers + strspn(servers, SEPARATORS);
    while (*at != '\0') {
        size_t length = strcspn(at, SEPARATORS);
        if (add_server(s, at, length, s->now.mono) != 0) {
            release(s);
            return -EINVAL;
        }
        at += length + strspn(at + length, SEPARATORS);
    }
    *source = (struct timesource *)s;
    return 0;
}
