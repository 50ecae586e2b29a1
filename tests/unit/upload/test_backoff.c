#include "upload/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_longest_wait_doubles_from_5_s_to_15_min(void **state)
{
    (void)state;
    static const uint32_t longest[] = {5000,   10000,  20000,  40000,  80000,
                                       160000, 320000, 640000, 900000, 900000};
    struct backoff backoff = {0, 0};
    for (size_t i = 0; i < sizeof longest / sizeof longest[0]; i++) {
        struct backoff lucky = backoff;
        struct backoff middle = backoff;
        assert_int_equal(backoff_next_ms(&backoff, WAIT_BACKOFF, 0, UINT32_MAX), longest[i]);
        assert_int_equal(backoff_next_ms(&lucky, WAIT_BACKOFF, 0, 0), 1000);
        uint32_t half = backoff_next_ms(&middle, WAIT_BACKOFF, 0, UINT32_C(1) << 31);
        assert_in_range(half, longest[i] / 2, longest[i] / 2 + 1);
    }
    backoff_reset(&backoff);
    assert_int_equal(backoff_next_ms(&backoff, WAIT_BACKOFF, 0, UINT32_MAX), 5000);
}

static void months_of_failures_overflow_nothing(void **state)
{
    (void)state;
    struct backoff backoff = {.failures = UINT32_MAX - 1, .credentials = 2};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(backoff_next_ms(&backoff, WAIT_BACKOFF, 0, UINT32_MAX), 900000);
    }
    assert_int_equal(backoff.failures, UINT32_MAX);
}

static void retry_after_is_a_floor_between_1_s_and_1_h(void **state)
{
    (void)state;
    static const struct {
        int64_t asked_s;
        uint32_t wait_ms;
    } cases[] = {
        {7, 7000},
        {0, 1000},
        {-319114800, 1000},    /* a date, read with our clock in 2037 */
        {1795266000, 3600000}, /* the same, with our clock in 1970 */
        {3600, 3600000},
        {INT64_MAX, 3600000},
        {BACKOFF_NO_RETRY_AFTER, 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct backoff backoff = {0, 0};
        assert_int_equal(backoff_next_ms(&backoff, WAIT_THROTTLE, cases[i].asked_s, 0),
                         cases[i].wait_ms);
    }
    struct backoff backoff = {.failures = 3, .credentials = 0};
    assert_int_equal(backoff_next_ms(&backoff, WAIT_THROTTLE, 7, UINT32_MAX), 40000);
}

static void refused_credentials_are_probed_ever_more_rarely(void **state)
{
    (void)state;
    static const uint32_t waits[] = {900000, 3600000, 21600000, 21600000, 21600000};
    struct backoff backoff = {0, 0};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
            assert_int_equal(backoff_next_ms(&backoff, WAIT_CREDENTIAL, 0, 77), waits[i]);
        }
        backoff_reset(&backoff);
    }
}

static void the_other_waits_are_fixed(void **state)
{
    (void)state;
    struct backoff backoff = {0, 0};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(backoff_next_ms(&backoff, WAIT_NONE, 9, 9), 0);
        assert_int_equal(backoff_next_ms(&backoff, WAIT_CLOCK, 9, 9), 900000);
        assert_int_equal(backoff_next_ms(&backoff, WAIT_SLOW, 9, 9), 21600000);
        assert_int_equal(backoff_next_ms(&backoff, WAIT_MINUTE, 9, 9), 60000);
    }
    assert_int_equal(backoff.failures, 0);
    assert_int_equal(backoff.credentials, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_wait_doubles_from_5_s_to_15_min),
        cmocka_unit_test(months_of_failures_overflow_nothing),
        cmocka_unit_test(retry_after_is_a_floor_between_1_s_and_1_h),
        cmocka_unit_test(refused_credentials_are_probed_ever_more_rarely),
        cmocka_unit_test(the_other_waits_are_fixed),
    };
    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
