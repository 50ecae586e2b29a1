#include "core/step_watch.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * The clock must not be set here, so a test may stand in for what the kernel says of it; everything
 * else is the real descriptor.
 */
static int read_error;     // errno of the next read; 0 = ask the kernel
static bool read_expires;  // the next read tells of an expired timer
static int settime_errors; // this many calls of timerfd_settime fail ...
static int settime_error;  // ... with this errno
static int settime_calls;
static int last_flags;
static bool create_fails;

int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

int __wrap_timerfd_create(int clock, int flags)
{
    if (create_fails) {
        errno = EMFILE;
        return -1;
    }
    return __real_timerfd_create(clock, flags);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old)
{
    settime_calls++;
    last_flags = flags;
    if (settime_errors > 0) {
        settime_errors--;
        errno = settime_error;
        return -1;
    }
    return __real_timerfd_settime(fd, flags, value, old);
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    if (read_error != 0) {
        errno = read_error;
        read_error = 0;
        return -1;
    }
    if (read_expires) {
        uint64_t one = 1;
        read_expires = false;
        memcpy(buffer, &one, sizeof one);
        return (ssize_t)sizeof one;
    }
    return __real_read(fd, buffer, size);
}

static int set_up(void **state)
{
    (void)state;
    read_error = settime_errors = settime_error = settime_calls = last_flags = 0;
    read_expires = create_fails = false;
    return 0;
}

static void untouched_clock_does_not_ring(void **state)
{
    (void)state;
    struct step_watch watch;
    assert_int_equal(step_watch_open(&watch), 0);
    struct pollfd pollfd = {.fd = watch.fd, .events = POLLIN};
    assert_int_equal(poll(&pollfd, 1, 0), 0);
    assert_false(step_watch_take(&watch));
    assert_int_equal(last_flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    step_watch_close(&watch);
    assert_int_equal(watch.fd, -1);
}

static void set_clock_rings_once_and_is_listened_to_again(void **state)
{
    (void)state;
    struct step_watch watch;
    assert_int_equal(step_watch_open(&watch), 0);
    settime_calls = 0;
    read_error = ECANCELED;
    assert_true(step_watch_take(&watch));
    assert_int_equal(settime_calls, 1);
    assert_false(step_watch_take(&watch));
    step_watch_close(&watch);
}

static void set_between_read_and_arming_keeps_the_watch(void **state)
{
    (void)state;
    struct step_watch watch;
    assert_int_equal(step_watch_open(&watch), 0);
    read_error = ECANCELED;
    settime_errors = 1;
    settime_error = ECANCELED;
    assert_true(step_watch_take(&watch));
    assert_true(watch.fd >= 0);
    step_watch_close(&watch);
}

static void kernel_with_32_bit_time_gets_a_time_it_can_hold(void **state)
{
    (void)state;
    struct step_watch watch;
    settime_errors = 1;
    settime_error = EOVERFLOW;
    assert_int_equal(step_watch_open(&watch), 0);
    assert_int_equal(settime_calls, 2);
    assert_false(step_watch_take(&watch));
    step_watch_close(&watch);
}

static void watch_that_can_not_be_armed_ends(void **state)
{
    (void)state;
    struct step_watch watch;
    settime_errors = 2;
    settime_error = EINVAL;
    assert_int_equal(step_watch_open(&watch), -EINVAL);
    assert_int_equal(watch.fd, -1);
    assert_false(step_watch_take(&watch));

    assert_int_equal(step_watch_open(&watch), 0);
    read_expires = true; // past the end of time: it would expire again and again
    assert_true(step_watch_take(&watch));
    assert_int_equal(watch.fd, -1);
}

static void machine_without_timerfd_has_no_watch(void **state)
{
    (void)state;
    struct step_watch watch;
    create_fails = true;
    assert_int_equal(step_watch_open(&watch), -EMFILE);
    assert_int_equal(watch.fd, -1);
    step_watch_close(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(untouched_clock_does_not_ring, set_up),
        cmocka_unit_test_setup(set_clock_rings_once_and_is_listened_to_again, set_up),
        cmocka_unit_test_setup(set_between_read_and_arming_keeps_the_watch, set_up),
        cmocka_unit_test_setup(kernel_with_32_bit_time_gets_a_time_it_can_hold, set_up),
        cmocka_unit_test_setup(watch_that_can_not_be_armed_ends, set_up),
        cmocka_unit_test_setup(machine_without_timerfd_has_no_watch, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
