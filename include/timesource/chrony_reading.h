/*
 * From what chronyd says (its signs, doubles) to a reading (our signs, integers, validity bits).
 *
 * Used by both ways to ask chronyd: its own protocol and the chronyc program. Pure; the caller
 * gives the time.
 */
#ifndef TIMESOURCE_CHRONY_READING_H
#define TIMESOURCE_CHRONY_READING_H

#include "base/nstime.h"
#include "core/reading.h"
#include "core/report.h"

#include <stdbool.h>

/*
 * Fills all of OUT but source, ref_age_ns, update_interval_ns and reach, which a tracking reply
 * alone does not tell. Values outside any sensible range are absent:
 *
 *   offsets            |x| <= 2^32 s (an NTP era)
 *   root delay, disp.  0 .. 2^16 s (what NTP's own packet can carry)
 *   frequency          |x| <= 10^6 ppm (a clock that stands still or runs twice as fast)
 *
 * While chronyd is not synchronised everything but the status is absent: it reports 0 for what it
 * never measured, and leftovers for what it has lost.
 */
void chrony_reading(const struct report_tracking *tracking, struct reading *out);

/* True when SECONDS is a sensible update interval (0 < x <= 2^25 s); then in *NS. */
bool chrony_interval_ns(double seconds, int64_t *ns);

/*
 * The age of chronyd's reference, counted on CLOCK_MONOTONIC from when its reference time was seen
 * to change: that time itself is on the wall clock, which may jump, and is blurred by 0..1 s.
 */
struct ref_age {
    bool known;
    int64_t ref_time_s;
    uint32_t ref_time_ns;
    mono_time since;  /* the update, as well as we know */
    mono_time looked; /* the last call of ref_age_update */
};

/*
 * Takes note of TRACKING as received at NOW/WALL, and returns the age in ns. At a change, the age
 * is the time since the reference time on chronyd's clock, but not longer than since the last look;
 * at the first sight likewise, or 0 when that is not sane (then it is a lower bound).
 */
int64_t ref_age_update(struct ref_age *age, const struct report_tracking *tracking, mono_time now,
                       wall_time wall);

#endif
