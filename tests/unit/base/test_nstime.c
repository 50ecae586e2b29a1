#include "base/nstime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void timespecs_round_trip_with_a_forward_part_of_a_second(void **state)
{
    (void)state;
    static const int64_t values[] = {
        0,
        1,
        -1,
        999999999,
        1000000000,
        -999999999,
        -1000000000,
        -1000000001,
        INT64_C(1720123456789012345),
        INT64_MAX,
        INT64_MIN + NS_PER_S,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct timespec ts = nstime_to_timespec(values[i]);
        assert_in_range(ts.tv_nsec, 0, 999999999);
        assert_true(nstime_from_timespec(ts) == values[i]);
    }
}

static void a_time_just_before_1970_is_in_the_second_before(void **state)
{
    (void)state;
    struct timespec ts = nstime_to_timespec(-1);
    assert_int_equal(ts.tv_sec, -1);
    assert_int_equal(ts.tv_nsec, 999999999);
}

static void times_are_64_bits_beyond_2038(void **state)
{
    (void)state;
    struct timespec ts = nstime_to_timespec(INT64_C(4102444800) * NS_PER_S); // 2100-01-01
    assert_true(ts.tv_sec == INT64_C(4102444800));
    assert_int_equal(sizeof ts.tv_sec, 8);
}

static void a_span_for_poll_is_rounded_up_and_never_negative(void **state)
{
    (void)state;
    assert_int_equal(nstime_to_poll_ms(INT64_MIN), 0);
    assert_int_equal(nstime_to_poll_ms(0), 0);
    assert_int_equal(nstime_to_poll_ms(1), 1);
    assert_int_equal(nstime_to_poll_ms(NS_PER_MS), 1);
    assert_int_equal(nstime_to_poll_ms(NS_PER_MS + 1), 2);
    assert_int_equal(nstime_to_poll_ms(60 * NS_PER_S), 60000);
    assert_int_equal(nstime_to_poll_ms(INT64_MAX), INT_MAX);
}

static void monotonic_time_moves_forward_and_adds_up(void **state)
{
    (void)state;
    mono_time first = mono_now();
    mono_time second = mono_now();
    assert_true(mono_diff_ns(second, first) >= 0);
    assert_int_equal(mono_diff_ns(mono_add(first, 42), first), 42);
    assert_int_equal(mono_diff_ns(mono_add(first, -42), first), -42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timespecs_round_trip_with_a_forward_part_of_a_second),
        cmocka_unit_test(a_time_just_before_1970_is_in_the_second_before),
        cmocka_unit_test(times_are_64_bits_beyond_2038),
        cmocka_unit_test(a_span_for_poll_is_rounded_up_and_never_negative),
        cmocka_unit_test(monotonic_time_moves_forward_and_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
