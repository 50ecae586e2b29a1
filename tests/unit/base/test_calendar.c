#include "base/calendar.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void assert_date(int64_t seconds, int64_t year, int month, int day, int weekday)
{
    struct calendar_date date = calendar_from_seconds(seconds);
    assert_int_equal(date.year, year);
    assert_int_equal(date.month, month);
    assert_int_equal(date.day, day);
    assert_int_equal(date.weekday, weekday);
}

static void known_days_have_their_dates(void **state)
{
    (void)state;
    assert_date(0, 1970, 1, 1, 4);
    assert_date(-1, 1969, 12, 31, 3);
    assert_date(951782399, 2000, 2, 28, 1);
    assert_date(951782400, 2000, 2, 29, 2);
    assert_date(INT64_C(4107542400), 2100, 3, 1, 1); // no leap day before it
    assert_date(INT64_C(-62135596801), 0, 12, 31, 0);
}

static void times_of_day_run_to_the_last_second(void **state)
{
    (void)state;
    struct calendar_date date = calendar_from_seconds(-1);
    assert_int_equal(date.hour, 23);
    assert_int_equal(date.minute, 59);
    assert_int_equal(date.second, 59);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void assert_as_in_the_c_library(int64_t seconds)
{
    struct tm tm;
    time_t when = (time_t)seconds;
    struct calendar_date date = calendar_from_seconds(seconds);
    if (gmtime_r(&when, &tm) == NULL) {
        return; // the year does not fit an int there
    }
    if (date.year != (int64_t)tm.tm_year + 1900 || date.month != tm.tm_mon + 1 ||
        date.day != tm.tm_mday || date.weekday != tm.tm_wday || date.hour != tm.tm_hour ||
        date.minute != tm.tm_min || date.second != tm.tm_sec) {
        fail_msg("%" PRId64 " is another date in the C library", seconds);
    }
}

static void random_times_are_as_in_the_c_library(void **state)
{
    (void)state;
    uint64_t random = UINT64_C(0x2545f4914f6cdd1d);
    print_message("seed %" PRIx64 "\n", random);
    for (unsigned i = 0; i < 200000; i++) {
        int64_t seconds = (int64_t)(next_random(&random) >> (8 + i % 40));
        assert_as_in_the_c_library(i % 2 == 0 ? seconds : -seconds);
    }
}

static void extremes_have_a_date(void **state)
{
    (void)state;
    assert_in_range(calendar_from_seconds(INT64_MAX).month, 1, 12);
    assert_in_range(calendar_from_seconds(INT64_MIN).month, 1, 12);
    assert_in_range(calendar_from_seconds(INT64_MIN).second, 0, 59);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days_have_their_dates),
        cmocka_unit_test(times_of_day_run_to_the_last_second),
        cmocka_unit_test(random_times_are_as_in_the_c_library),
        cmocka_unit_test(extremes_have_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
