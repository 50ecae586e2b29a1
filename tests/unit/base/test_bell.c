#include "base/bell.h"
#include "wakeup_race.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS  100000u
#define FAR_NS  (60 * NS_PER_S) /* only a lost wake-up waits this long */
#define SOON_NS (2 * NS_PER_MS)

static int writes;

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    __atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
    return __real_write(fd, data, size);
}

static int set_up(void **state)
{
    static struct bell bell;
    *state = &bell;
    writes = 0;
    return bell_init(&bell);
}

static int tear_down(void **state)
{
    bell_destroy(*state);
    return 0;
}

static void a_ring_before_the_wait_is_not_slept_over(void **state)
{
    struct bell *bell = *state;
    bell_ring(bell, 4);
    assert_int_equal(bell_wait_until(bell, mono_add(mono_now(), FAR_NS)), 4);
}

static void rings_before_the_wait_are_collected_and_cost_one_write(void **state)
{
    struct bell *bell = *state;
    bell_ring(bell, 1);
    bell_ring(bell, 8);
    bell_ring(bell, 1);
    assert_int_equal(writes, 1);
    assert_int_equal(bell_take(bell), 9);
    assert_int_equal(bell_take(bell), 0);
}

static void a_taken_bell_still_sleeps_until_its_deadline(void **state)
{
    struct bell *bell = *state;
    bell_ring(bell, 1);
    assert_int_equal(bell_take(bell), 1);
    // The eventfd is still readable: that alone is no reason.
    mono_time deadline = mono_add(mono_now(), SOON_NS);
    assert_int_equal(bell_wait_until(bell, deadline), 0);
    assert_true(mono_diff_ns(mono_now(), deadline) >= 0);
}

static void a_bell_rung_after_a_take_wakes_again(void **state)
{
    struct bell *bell = *state;
    for (uint32_t i = 1; i < 1000; i++) {
        bell_ring(bell, i);
        if (i % 2 == 0) {
            assert_int_equal(bell_take(bell), i);
        } else {
            assert_int_equal(bell_wait_until(bell, mono_add(mono_now(), FAR_NS)), i);
        }
    }
}

static void a_deadline_in_the_past_returns_what_is_pending(void **state)
{
    struct bell *bell = *state;
    assert_int_equal(bell_wait_until(bell, (mono_time){0}), 0);
    bell_ring(bell, 2);
    assert_int_equal(bell_wait_until(bell, (mono_time){0}), 2);
}

static void the_descriptor_never_blocks_and_is_not_inherited(void **state)
{
    struct bell *bell = *state;
    assert_true(fcntl(bell->fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(bell->fd, F_GETFD) & FD_CLOEXEC);
}

static void give(void *waiter, uint32_t reasons)
{
    bell_ring(waiter, reasons);
}

static uint32_t wait_far(void *waiter)
{
    return bell_wait_until(waiter, mono_add(mono_now(), FAR_NS));
}

static void no_ring_is_lost_when_threads_race_the_sleeper(void **state)
{
    static const struct race_ops ops = {give, wait_far};
    struct race_result result = wakeup_race(*state, &ops, ROUNDS);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.deadlines, 0);
    assert_int_equal(result.foreign, 0);
    assert_int_equal(result.received, (uint64_t)ROUNDS * RACE_GIVERS);
}

#define BELL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BELL_TEST(a_ring_before_the_wait_is_not_slept_over),
        BELL_TEST(rings_before_the_wait_are_collected_and_cost_one_write),
        BELL_TEST(a_taken_bell_still_sleeps_until_its_deadline),
        BELL_TEST(a_bell_rung_after_a_take_wakes_again),
        BELL_TEST(a_deadline_in_the_past_returns_what_is_pending),
        BELL_TEST(the_descriptor_never_blocks_and_is_not_inherited),
        BELL_TEST(no_ring_is_lost_when_threads_race_the_sleeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
