/*
 * Absolute ticks on CLOCK_MONOTONIC, heard together with the two other things the sampler waits
 * for.
 *
 * The kernel holds the grid (a timerfd armed once with TFD_TIMER_ABSTIME and a period), so no tick
 * can drift, and it counts the ticks that passed unseen. One poll(2) waits for the tick, for the
 * wall clock being set, and for the bell that says stop. One thread.
 */
#ifndef PIPELINE_TICKER_H
#define PIPELINE_TICKER_H

#include "base/bell.h"
#include "base/nstime.h"

struct ticker {
    int timer_fd;
};

enum ticker_event {
    TICKER_TICK = 1u << 0,
    TICKER_CLOCK_SET = 1u << 1,
    TICKER_BELL = 1u << 2,
};

/* The first tick comes at START, then one each INTERVAL_NS. 0 or -errno. */
int ticker_open(struct ticker *ticker, mono_time start, int64_t interval_ns);
void ticker_close(struct ticker *ticker);

/*
 * Waits for any of the three; WATCH_FD (-1 = none) is readable when the wall clock was set. Returns
 * the set of TICKER_*. With TICKER_TICK, *missed is the number of ticks that passed unsampled
 * before this one.
 */
unsigned ticker_wait(struct ticker *ticker, const struct bell *bell, int watch_fd,
                     uint64_t *missed);

#endif
