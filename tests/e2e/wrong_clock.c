/*
 * LD_PRELOAD: the wall clock of one program is off by WRONG_CLOCK_OFFSET_S seconds. MONOTONIC and
 * the waits on it stay as they are (libfaketime shifts those waits with the wall clock, so a
 * program that waits on CLOCK_MONOTONIC stands still under it).
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// On 32-bit machines this is built with 64-bit time, as the program is.
#ifdef SYS_clock_gettime64
#define KERNEL_CALL SYS_clock_gettime64
#else
#define KERNEL_CALL SYS_clock_gettime
#endif

static long long offset_s(void)
{
    const char *text = getenv("WRONG_CLOCK_OFFSET_S");
    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int result = (int)syscall(KERNEL_CALL, clock, ts);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        ts->tv_sec += offset_s();
    }
    return result;
}

time_t time(time_t *out)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    if (out != NULL) {
        *out = ts.tv_sec;
    }
    return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}
