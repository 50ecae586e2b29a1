/*
 * The interval condition variable: one thread sleeps until a deadline on CLOCK_MONOTONIC, or until
 * somebody pokes it with a reason. Pokes are remembered, so none is lost between two waits.
 *
 * Any thread may poke; exactly one waits. The mutex is held for a few instructions only and never
 * together with another lock.
 */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include "base/nstime.h"

#include <pthread.h>
#include <stdint.h>

struct wake {
    pthread_mutex_t mutex;
    pthread_cond_t cond; /* on CLOCK_MONOTONIC: the wall clock is what is broken */
    uint32_t pending;    /* reasons poked and not yet taken; guarded by mutex */
};

/* 0 or -errno. */
int wake_init(struct wake *wake);
void wake_destroy(struct wake *wake);

/* Adds REASONS (a bit set of the owner's) and wakes the owner. */
void wake_poke(struct wake *wake, uint32_t reasons);

/* Sleeps until a reason is pending or DEADLINE has passed. Returns and clears the reasons; 0 =
 * deadline. */
uint32_t wake_wait_until(struct wake *wake, mono_time deadline);

#endif
