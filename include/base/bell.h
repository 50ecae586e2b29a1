/*
 * A bell that is rung without a lock: an eventfd beside a set of reasons.
 *
 * The sampler must never wait for another thread, so it can not poke a condition variable; ringing
 * a bell is one atomic OR and at most one write(2) that can not block. One thread waits.
 */
#ifndef BASE_BELL_H
#define BASE_BELL_H

#include "base/nstime.h"

#include <stdatomic.h>
#include <stdint.h>

struct bell {
    int fd;
    _Atomic uint32_t pending;
};

/* 0 or -errno. */
int bell_init(struct bell *bell);
void bell_destroy(struct bell *bell);

/* Adds REASONS; wakes the owner if none was pending. Never blocks. Any thread. */
void bell_ring(struct bell *bell, uint32_t reasons);

/* Returns and clears the reasons rung so far, without waiting. Owner only. */
uint32_t bell_take(struct bell *bell);

/* Sleeps until rung or DEADLINE; returns and clears the reasons, 0 = deadline. Owner only. */
uint32_t bell_wait_until(struct bell *bell, mono_time deadline);

#endif
