#include "core/clocks.h"

// Enough to lose a pre-emption inside a bracket; each try costs three reads.
#define TRIES 4

static int64_t read_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts); // the three clocks exist on every kernel we run on
    return nstime_from_timespec(ts);
}

struct clock_reading clocks_read(void)
{
    struct clock_reading best = {.window_ns = UINT32_MAX};
    int64_t best_window_ns = INT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        int64_t before_ns = read_ns(CLOCK_MONOTONIC);
        int64_t raw_ns = read_ns(CLOCK_MONOTONIC_RAW);
        int64_t wall_ns = read_ns(CLOCK_REALTIME);
        int64_t after_ns = read_ns(CLOCK_MONOTONIC);
        int64_t window_ns = after_ns - before_ns;
        if (window_ns < best_window_ns) {
            best_window_ns = window_ns;
            best.mono.ns = before_ns + window_ns / 2;
            best.raw.ns = raw_ns;
            best.wall.ns = wall_ns;
        }
    }
    if (best_window_ns < (int64_t)UINT32_MAX) {
        best.window_ns = (uint32_t)best_window_ns;
    }
    return best;
}
