#include "core/step_watch.h"

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// Times that no clock shows: the last whole day that 63 bits of nanoseconds hold, or where the
// kernel's time has 32 bits, the last second of those.
#define NEVER_S    INT64_C(9223286400)
#define NEVER_32_S INT64_C(2147483647)

static int arm_at(int fd, int64_t never_s)
{
    struct itimerspec never = {.it_value = {.tv_sec = (time_t)never_s}};
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    // ECANCELED tells of a set that nobody has read yet; the timer is armed all the same.
    return timerfd_settime(fd, flags, &never, NULL) == 0 || errno == ECANCELED ? 0 : -errno;
}

static int arm(int fd)
{
    int error = arm_at(fd, NEVER_S);
    return error == 0 ? 0 : arm_at(fd, NEVER_32_S);
}

int step_watch_open(struct step_watch *watch)
{
    watch->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (watch->fd < 0) {
        return -errno;
    }
    int error = arm(watch->fd);
    if (error != 0) {
        step_watch_close(watch);
    }
    return error;
}

void step_watch_close(struct step_watch *watch)
{
    if (watch->fd >= 0) {
        close(watch->fd);
        watch->fd = -1;
    }
}

bool step_watch_take(struct step_watch *watch)
{
    uint64_t expirations;
    if (watch->fd < 0) {
        return false;
    }
    ssize_t got = read(watch->fd, &expirations, sizeof expirations);
    if (got < 0 && errno != ECANCELED) {
        return false;
    }
    // Set, or set beyond what we took for never. Where it can't be armed again the watch ends: a
    // descriptor that stays readable would keep its owner from sleeping.
    if (arm(watch->fd) != 0 || got >= 0) {
        step_watch_close(watch);
    }
    return true;
}
