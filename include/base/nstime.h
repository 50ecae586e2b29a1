/*
 * Time as types: nanoseconds on one particular clock.
 *
 * A reading of one clock can not be mixed with a reading of another by accident: each is a struct
 * of its own. Spans between two readings of the same clock are plain int64_t nanoseconds with _ns
 * in the name. Range: +-292 years, on every architecture.
 */
#ifndef BASE_NSTIME_H
#define BASE_NSTIME_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)
#define US_PER_S  INT64_C(1000000)

/* CLOCK_MONOTONIC: slewed, never stepped. The only clock anything here waits on. */
typedef struct {
    int64_t ns;
} mono_time;

/* CLOCK_MONOTONIC_RAW: the bare crystal, neither slewed nor stepped. */
typedef struct {
    int64_t ns;
} raw_time;

/* CLOCK_REALTIME: nanoseconds since 1970-01-01 UTC; the clock under study, it may jump. */
typedef struct {
    int64_t ns;
} wall_time;

static inline int64_t nstime_from_timespec(struct timespec ts)
{
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* The floor, so that a negative time is still followed by a forward part of a second. */
static inline struct timespec nstime_to_timespec(int64_t ns)
{
    int64_t s = ns / NS_PER_S;
    int64_t rest = ns % NS_PER_S;
    if (rest < 0) {
        s--;
        rest += NS_PER_S;
    }
    return (struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)rest};
}

/*
 * A span as poll() takes it: whole milliseconds, never less than the span, so that a wait does not
 * end early and spin. Waits use poll(), not ppoll(): glibc 2.36 with 64-bit time on 32-bit ARM and
 * _FORTIFY_SOURCE hands ppoll()'s timespec to the kernel call with 32-bit time.
 */
static inline int nstime_to_poll_ms(int64_t span_ns)
{
    if (span_ns <= 0) {
        return 0;
    }
    int64_t ms = (span_ns - 1) / NS_PER_MS + 1;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static inline mono_time mono_add(mono_time t, int64_t span_ns)
{
    return (mono_time){t.ns + span_ns};
}

static inline int64_t mono_diff_ns(mono_time later, mono_time earlier)
{
    return later.ns - earlier.ns;
}

static inline mono_time mono_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts); // cannot fail: the clock exists and ts is ours
    return (mono_time){nstime_from_timespec(ts)};
}

static inline wall_time wall_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts); // as above
    return (wall_time){nstime_from_timespec(ts)};
}

#endif
