#include "base/wake.h"
#include "wakeup_race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ROUNDS  100000u
#define FAR_NS  (60 * NS_PER_S) /* only a lost wake-up waits this long */
#define SOON_NS (2 * NS_PER_MS)

static int set_up(void **state)
{
    static struct wake wake;
    *state = &wake;
    return wake_init(&wake);
}

static int tear_down(void **state)
{
    wake_destroy(*state);
    return 0;
}

static void a_poke_before_the_wait_is_not_slept_over(void **state)
{
    struct wake *wake = *state;
    wake_poke(wake, 4);
    assert_int_equal(wake_wait_until(wake, mono_add(mono_now(), FAR_NS)), 4);
}

static void pokes_before_the_wait_are_collected_once(void **state)
{
    struct wake *wake = *state;
    wake_poke(wake, 1);
    wake_poke(wake, 8);
    wake_poke(wake, 1);
    assert_int_equal(wake_wait_until(wake, mono_add(mono_now(), FAR_NS)), 9);
    assert_int_equal(wake_wait_until(wake, mono_now()), 0);
}

static void a_wait_without_a_poke_ends_at_its_deadline_not_before(void **state)
{
    struct wake *wake = *state;
    mono_time deadline = mono_add(mono_now(), SOON_NS);
    assert_int_equal(wake_wait_until(wake, deadline), 0);
    assert_true(mono_diff_ns(mono_now(), deadline) >= 0);
}

static void a_deadline_in_the_past_returns_what_is_pending(void **state)
{
    struct wake *wake = *state;
    assert_int_equal(wake_wait_until(wake, (mono_time){0}), 0);
    wake_poke(wake, 2);
    assert_int_equal(wake_wait_until(wake, (mono_time){0}), 2);
}

static void give(void *waiter, uint32_t reasons)
{
    wake_poke(waiter, reasons);
}

static uint32_t wait_far(void *waiter)
{
    return wake_wait_until(waiter, mono_add(mono_now(), FAR_NS));
}

static void no_poke_is_lost_when_threads_race_the_sleeper(void **state)
{
    static const struct race_ops ops = {give, wait_far};
    struct race_result result = wakeup_race(*state, &ops, ROUNDS);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.deadlines, 0);
    assert_int_equal(result.foreign, 0);
    assert_int_equal(result.received, (uint64_t)ROUNDS * RACE_GIVERS);
}

#define WAKE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WAKE_TEST(a_poke_before_the_wait_is_not_slept_over),
        WAKE_TEST(pokes_before_the_wait_are_collected_once),
        WAKE_TEST(a_wait_without_a_poke_ends_at_its_deadline_not_before),
        WAKE_TEST(a_deadline_in_the_past_returns_what_is_pending),
        WAKE_TEST(no_poke_is_lost_when_threads_race_the_sleeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
