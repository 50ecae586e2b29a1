#include "base/decimal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

// Room for the longest text, and a guard behind it.
#define ROOM 64

// Compares what PUT wrote for VALUE with EXPECTED, and that nothing behind it was touched.
#define ASSERT_TEXT(put, value, expected)                                                          \
    do {                                                                                           \
        char text[ROOM];                                                                           \
        memset(text, '#', sizeof text);                                                            \
        char *end = put(text, value);                                                              \
        assert_in_range(end - text, 1, DECIMAL_MAX);                                               \
        assert_int_equal(*end, '#');                                                               \
        *end = '\0';                                                                               \
        assert_string_equal(text, expected);                                                       \
    } while (0)

static void every_digit_count_of_unsigned_integers_is_exact(void **state)
{
    (void)state;
    char expected[ROOM];
    uint64_t power = 1;
    for (int digits = 1; digits <= 20; digits++) {
        for (int delta = -1; delta <= 1; delta++) {
            uint64_t value = power + (uint64_t)(int64_t)delta;
            snprintf(expected, sizeof expected, "%" PRIu64, value);
            ASSERT_TEXT(decimal_put_u64, value, expected);
        }
        power *= 10;
    }
    ASSERT_TEXT(decimal_put_u64, UINT64_MAX, "18446744073709551615");
}

static void signed_integers_reach_both_ends_of_the_type(void **state)
{
    (void)state;
    ASSERT_TEXT(decimal_put_i64, 0, "0");
    ASSERT_TEXT(decimal_put_i64, -1, "-1");
    ASSERT_TEXT(decimal_put_i64, INT64_MAX, "9223372036854775807");
    ASSERT_TEXT(decimal_put_i64, INT64_MIN, "-9223372036854775808");
}

static void fixed_point_keeps_every_decimal_and_the_sign_of_a_fraction(void **state)
{
    (void)state;
    ASSERT_TEXT(decimal_put_nano, 0, "0.000000000");
    ASSERT_TEXT(decimal_put_nano, 1, "0.000000001");
    ASSERT_TEXT(decimal_put_nano, -1, "-0.000000001");
    ASSERT_TEXT(decimal_put_nano, 999999999, "0.999999999");
    ASSERT_TEXT(decimal_put_nano, 1000000000, "1.000000000");
    ASSERT_TEXT(decimal_put_nano, INT64_C(-12345678901), "-12.345678901");
    ASSERT_TEXT(decimal_put_nano, INT64_MIN, "-9223372036.854775808");
    ASSERT_TEXT(decimal_put_micro, -1, "-0.000001");
    ASSERT_TEXT(decimal_put_micro, 12345678, "12.345678");
    ASSERT_TEXT(decimal_put_micro, INT64_MIN, "-9223372036854.775808");
    ASSERT_TEXT(decimal_put_milli, 5, "0.005");
    ASSERT_TEXT(decimal_put_milli, -12345, "-12.345");
    ASSERT_TEXT(decimal_put_milli, INT64_MIN, "-9223372036854775.808");
}

static void every_group_of_digits_is_right(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 10000; v++) {
        char expected[ROOM];
        snprintf(expected, sizeof expected, "%u", v);
        ASSERT_TEXT(decimal_put_u64, v, expected);
        snprintf(expected, sizeof expected, "%u%04u%04u", 1 + v, v, 9999 - v);
        uint64_t three = (1 + (uint64_t)v) * 100000000 + (uint64_t)v * 10000 + (9999 - v);
        ASSERT_TEXT(decimal_put_u64, three, expected);
        snprintf(expected, sizeof expected, "0.%05u%04u", v, 9999 - v);
        ASSERT_TEXT(decimal_put_nano, (int64_t)v * 10000 + (9999 - v), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_digit_count_of_unsigned_integers_is_exact),
        cmocka_unit_test(signed_integers_reach_both_ends_of_the_type),
        cmocka_unit_test(fixed_point_keeps_every_decimal_and_the_sign_of_a_fraction),
        cmocka_unit_test(every_group_of_digits_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
