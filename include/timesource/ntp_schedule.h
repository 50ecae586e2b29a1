/*
 * When one NTP server may be asked: the manners that public servers expect.
 *
 *   a burst of 4, 2 s apart, at the start; then one each 64 s, never less
 *   silence, or an answer of no use: twice as long each time, up to 1024 s
 *   RATE: 1024 s of quiet, and from then on never less than twice what it was; DENY, RSTR: never
 *
 * Each wait is stretched by up to an eighth, so that a fleet does not ask in step. Pure: the caller
 * brings the time and the chance.
 */
#ifndef TIMESOURCE_NTP_SCHEDULE_H
#define TIMESOURCE_NTP_SCHEDULE_H

#include "base/nstime.h"

#include <stdbool.h>
#include <stdint.h>

#define NTP_BURST_COUNT     4
#define NTP_BURST_GAP_NS    (2 * NS_PER_S)
#define NTP_INTERVAL_MIN_NS (64 * NS_PER_S)
#define NTP_INTERVAL_MAX_NS (1024 * NS_PER_S)

struct ntp_schedule {
    mono_time due;
    int64_t interval_ns;
    int64_t floor_ns; /* the interval to a server that answers well */
    int burst_left;   /* questions of the start burst still to be asked */
    bool refused;
};

/* The first question is due at NOW. */
void ntp_schedule_init(struct ntp_schedule *schedule, mono_time now);

bool ntp_schedule_is_due(const struct ntp_schedule *schedule, mono_time now);

/* A question was sent. CHANCE is any random number. */
void ntp_schedule_asked(struct ntp_schedule *schedule, mono_time now, uint32_t chance);

/* What came of it. */
void ntp_schedule_answered(struct ntp_schedule *schedule);
void ntp_schedule_failed(struct ntp_schedule *schedule, mono_time now, uint32_t chance);
void ntp_schedule_rate(struct ntp_schedule *schedule, mono_time now, uint32_t chance);
/* The server's name could not be resolved, so nothing was asked: the burst is still to come. */
void ntp_schedule_unresolved(struct ntp_schedule *schedule, mono_time now, uint32_t chance);
void ntp_schedule_deny(struct ntp_schedule *schedule);

#endif
