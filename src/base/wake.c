#include "base/wake.h"

#include <errno.h>

int wake_init(struct wake *wake)
{
    wake->pending = 0;
    pthread_condattr_t attr;
    int error = pthread_condattr_init(&attr);
    if (error != 0) {
        return -error;
    }
    error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (error == 0) {
        error = pthread_cond_init(&wake->cond, &attr);
    }
    pthread_condattr_destroy(&attr);
    if (error != 0) {
        return -error;
    }
    error = pthread_mutex_init(&wake->mutex, NULL);
    if (error != 0) {
        pthread_cond_destroy(&wake->cond);
    }
    return -error;
}

void wake_destroy(struct wake *wake)
{
    pthread_cond_destroy(&wake->cond);
    pthread_mutex_destroy(&wake->mutex);
}

void wake_poke(struct wake *wake, uint32_t reasons)
{
    pthread_mutex_lock(&wake->mutex);
    wake->pending |= reasons;
    pthread_cond_signal(&wake->cond);
    pthread_mutex_unlock(&wake->mutex);
}

uint32_t wake_wait_until(struct wake *wake, mono_time deadline)
{
    struct timespec until = nstime_to_timespec(deadline.ns);
    pthread_mutex_lock(&wake->mutex);
    // The reasons are checked under the lock that a poke takes, so a poke just before the wait is
    // seen and not slept over; a spurious wake-up finds no reason and sleeps on.
    while (wake->pending == 0) {
        if (pthread_cond_timedwait(&wake->cond, &wake->mutex, &until) == ETIMEDOUT) {
            break;
        }
    }
    uint32_t reasons = wake->pending;
    wake->pending = 0;
    pthread_mutex_unlock(&wake->mutex);
    return reasons;
}
