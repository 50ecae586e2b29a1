#include "pipeline/ticker.h"

#include <errno.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

int ticker_open(struct ticker *ticker, mono_time start, int64_t interval_ns)
{
    ticker->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (ticker->timer_fd < 0) {
        return -errno;
    }
    struct itimerspec grid = {
        .it_value = nstime_to_timespec(start.ns),
        .it_interval = nstime_to_timespec(interval_ns),
    };
    if (timerfd_settime(ticker->timer_fd, TFD_TIMER_ABSTIME, &grid, NULL) != 0) {
        int error = -errno;
        ticker_close(ticker);
        return error;
    }
    return 0;
}

void ticker_close(struct ticker *ticker)
{
    close(ticker->timer_fd);
    ticker->timer_fd = -1;
}

unsigned ticker_wait(struct ticker *ticker, const struct bell *bell, int watch_fd, uint64_t *missed)
{
    struct pollfd fds[] = {
        {.fd = ticker->timer_fd, .events = POLLIN},
        {.fd = watch_fd, .events = POLLIN},
        {.fd = bell->fd, .events = POLLIN},
    };
    while (poll(fds, sizeof fds / sizeof fds[0], -1) < 0) {
        // EINTR: signals belong to main, but a debugger or SIGCONT may still end the call.
    }
    unsigned events = 0;
    uint64_t expirations = 0;
    if ((fds[0].revents & POLLIN) != 0 &&
        read(ticker->timer_fd, &expirations, sizeof expirations) == (ssize_t)sizeof expirations) {
        events |= TICKER_TICK;
        *missed = expirations - 1;
    }
    if (fds[1].revents != 0) {
        events |= TICKER_CLOCK_SET;
    }
    if (fds[2].revents != 0) {
        events |= TICKER_BELL;
    }
    return events;
}
