#include "base/bell.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int bell_init(struct bell *bell)
{
    atomic_init(&bell->pending, 0);
    bell->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return bell->fd < 0 ? -errno : 0;
}

void bell_destroy(struct bell *bell)
{
    close(bell->fd);
}

void bell_ring(struct bell *bell, uint32_t reasons)
{
    // Release: what the ringer wrote before ringing is visible to the owner that takes the reason.
    uint32_t before = atomic_fetch_or_explicit(&bell->pending, reasons, memory_order_acq_rel);
    if (before == 0) {
        // Only the first reason needs the write: the owner takes all of them at once. The counter
        // can not overflow (EAGAIN), since the owner empties it whenever it takes the reasons.
        ssize_t ignored = write(bell->fd, &(uint64_t){1}, sizeof(uint64_t));
        (void)ignored;
    }
}

uint32_t bell_take(struct bell *bell)
{
    // Acquire pairs with the release in bell_ring.
    return atomic_exchange_explicit(&bell->pending, 0, memory_order_acq_rel);
}

uint32_t bell_wait_until(struct bell *bell, mono_time deadline)
{
    for (;;) {
        uint32_t reasons = bell_take(bell);
        int64_t left_ns = mono_diff_ns(deadline, mono_now());
        if (reasons != 0 || left_ns <= 0) {
            return reasons;
        }
        struct pollfd poll_fd = {.fd = bell->fd, .events = POLLIN};
        if (poll(&poll_fd, 1, nstime_to_poll_ms(left_ns)) > 0) {
            uint64_t count;
            ssize_t ignored = read(bell->fd, &count, sizeof count);
            (void)ignored;
        }
    }
}
