/*
 * Our own verdict on the clock. chronyd says "Normal" for hours after its server died; this does
 * not.
 *
 *   unreachable  no daemon answers although one is expected, or nobody at all vouches for the clock
 *   unsynced     the daemon says so; or it follows nothing but its own clock; or a second server
 *                contradicts it beyond both bounds; or, without a daemon, the clock is further from
 *                the SNTP server than a synchronised clock ever gets
 *   coasting     was synchronised, but the reference is older than 4 update intervals, or no server
 *                answers
 *   synced       a status that is good, a reference that is fresh
 *   unknown      the daemon answers, and what it says can not be judged
 *
 * Where there is no daemon and none is expected (AXIS OS 10 and older), the kernel or an SNTP
 * server vouches. docs/TIME_SOURCES.md argues each rule.
 */
#ifndef CORE_VERDICT_H
#define CORE_VERDICT_H

#include "core/reading.h"

/*
 * chronyd blurs its reference time by up to 1 s, so an age of less than that may be none: an update
 * interval counts as at least this long.
 */
#define VERDICT_INTERVAL_MIN_NS INT64_C(1000000000)
#define VERDICT_INTERVALS       4

/*
 * The largest offset that the usual daemons (systemd-timesyncd; ntpd 0.128 s) leave to a slew. A
 * clock further away than this and the bound of the measurement is not being held.
 */
#define VERDICT_HELD_NS INT64_C(400000000)

/* Pure; any thread. */
enum sync_state verdict_judge(const struct reading *reading);

#endif
