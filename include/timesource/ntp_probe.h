/*
 * One NTP server, probed now and then: its name, its manners, the exchange under way, and the best
 * sample of it, carried forward to now.
 *
 * A probe never waits. It sends at one call and collects at a later one; the kernel's receive stamp
 * tells when the answer really came. Each question goes out from a socket and port of its own, with
 * a random cookie. One thread.
 */
#ifndef TIMESOURCE_NTP_PROBE_H
#define TIMESOURCE_NTP_PROBE_H

#include "core/clocks.h"
#include "core/report.h"
#include "timesource/ntp_resolver.h"
#include "timesource/ntp_schedule.h"
#include "timesource/ntp_wire.h"

#include <stdbool.h>

/*
 * How fast a sample may age: the crystals of cameras err by up to 100 ppm. What the clock was
 * slewed meanwhile comes on top.
 */
#define NTP_PROBE_DRIFT_PPM 100

struct ntp_probe {
    char host[UDP_HOST_MAX];
    uint16_t port;
    struct ntp_resolver resolver;
    struct udp_address address;
    bool has_address;
    struct ntp_schedule schedule;

    int fd; /* -1 = no exchange under way */
    uint64_t cookie;
    struct clock_reading sent;

    bool has_sample;
    struct ntp_sample sample;
    struct clock_reading taken; /* the clocks when the sample was taken */
    mono_time answered_at;      /* the newest good answer, whether kept or not */
    bool is_new;                /* a sample nobody has compared yet; the owner clears it */

    uint32_t asked;
    uint32_t answered;
    uint32_t rejected;
};

/* What the kept sample says of the clock at some later reading. */
struct ntp_estimate {
    int64_t offset_ns; /* + our clock is fast */
    int64_t bound_ns;  /* grown with age */
    int64_t age_ns;    /* of the sample */
};

/* HOST is a name or a numeric address. The first question is due at NOW. */
void ntp_probe_init(struct ntp_probe *probe, const char *host, uint16_t port, mono_time now);
void ntp_probe_close(struct ntp_probe *probe);

/* Does what is due at NOW: collects, resolves, asks. Never blocks. */
void ntp_probe_run(struct ntp_probe *probe, const struct clock_reading *now);

/* False while no sample was ever taken. */
bool ntp_probe_estimate(const struct ntp_probe *probe, const struct clock_reading *now,
                        struct ntp_estimate *out);

void ntp_probe_report(const struct ntp_probe *probe, const struct clock_reading *now,
                      struct report_probe *out);

#endif
