/*
 * The retry policy of one kind of object: each has its own URL, so its own troubles.
 *
 * A lane turns outcomes into verdicts and waits, and holds back whoever asks again too early, so
 * that a refused URL is probed, not hammered, whatever the caller does. Pure: time and randomness
 * come from the caller. One thread at a time.
 */
#ifndef UPLOAD_LANE_H
#define UPLOAD_LANE_H

#include "base/nstime.h"
#include "core/delivery.h"
#include "upload/backoff.h"
#include "upload/outcome.h"

#include <stdbool.h>
#include <stdint.h>

/* Tries before a segment whose bytes do not arrive makes room for others. */
#define LANE_DATA_TRIES 3
/* Segments refused in a row from which on it is the server, not the segment: one probe per 15 min.
 */
#define LANE_REFUSED_MAX 3

struct lane {
    struct backoff backoff;
    mono_time not_before; /* no attempt before this instant */
    uint32_t data_tries;  /* of the segment `suspect` */
    uint32_t refused;     /* segments refused for what they are, since the last acknowledgement */
    uint32_t pace_ms;     /* least time between two segments; the server asked to slow down */
    char suspect[64];     /* name of the last segment whose bytes did not arrive */
};

/* With a new URL or configuration: all waits end. Zeroed memory is such a lane, too. */
void lane_reset(struct lane *lane);

/* Milliseconds until the next attempt is due; 0 = now. */
uint32_t lane_hold_ms(const struct lane *lane, mono_time now);

struct lane_event {
    enum outcome outcome;
    const char *name;      /* the segment's, as in struct delivery_request; NULL when it has none */
    int64_t retry_after_s; /* BACKOFF_NO_RETRY_AFTER when absent */
    mono_time now;
    uint32_t random; /* uniform over all 32 bits */
};

/* Takes note of an attempt's end; *RETRY_IN_MS as in struct delivery_result. */
enum delivery_verdict lane_settle(struct lane *lane, const struct lane_event *event,
                                  uint32_t *retry_in_ms);

#endif
