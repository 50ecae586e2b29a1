/*
 * Preloaded into the program on the emulated camera: the wall clock is FUTURE_S seconds ahead, as
 * the program sees it; nothing on this machine changes. Built with the architecture's 64-bit time,
 * so the names are those the program asks for.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FUTURE_S 441000000 /* 14 years */

#ifdef SYS_clock_gettime64
#define KERNEL_CLOCK SYS_clock_gettime64
#else
#define KERNEL_CLOCK SYS_clock_gettime
#endif

int clock_gettime(clockid_t id, struct timespec *ts)
{
    struct kernel_time {
        long long s;
        long long ns;
    } now = {0};
    long failed = syscall(KERNEL_CLOCK, id, &now);
    ts->tv_sec = (time_t)(now.s + (id == CLOCK_REALTIME ? FUTURE_S : 0));
    ts->tv_nsec = (long)now.ns;
    return (int)failed;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    tv->tv_sec = now.tv_sec;
    tv->tv_usec = now.tv_nsec / 1000;
    return 0;
}
