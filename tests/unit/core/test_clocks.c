#include "core/clocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

// A script of answers, one per read, or the real clocks when there is none.
static const int64_t *script;
static size_t script_length;
static size_t reads;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    if (script == NULL) {
        return __real_clock_gettime(clock, ts);
    }
    // The last bracket repeats when the code under test tries more often than the script goes.
    size_t i = reads < script_length ? reads : script_length - 4 + reads % 4;
    reads++;
    *ts = nstime_to_timespec(script[i]);
    return 0;
}

static struct clock_reading read_scripted(const int64_t *answers, size_t count)
{
    script = answers;
    script_length = count;
    reads = 0;
    struct clock_reading reading = clocks_read();
    script = NULL;
    return reading;
}

// One bracket: MONOTONIC, MONOTONIC_RAW, REALTIME, MONOTONIC.
#define BRACKET(before, raw, wall, after) (before), (raw), (wall), (after)
#define COUNT(array)                      (sizeof(array) / sizeof((array)[0]))

static void the_tightest_bracket_wins_wherever_it_comes(void **state)
{
    (void)state;
    const int64_t wide[4] = {BRACKET(1000, 11, 21, 1900)};
    const int64_t tight[4] = {BRACKET(5000, 15, 25, 5040)};
    for (size_t place = 0; place < 3; place++) {
        int64_t answers[12];
        for (size_t i = 0; i < 12; i++) {
            answers[i] = i / 4 == place ? tight[i % 4] : wide[i % 4];
        }
        struct clock_reading reading = read_scripted(answers, 12);
        assert_int_equal(reading.window_ns, 40);
        assert_int_equal(reading.mono.ns, 5020);
        assert_int_equal(reading.raw.ns, 15);
        assert_int_equal(reading.wall.ns, 25);
    }
}

static void a_preempted_bracket_is_not_believed(void **state)
{
    (void)state;
    const int64_t answers[] = {
        BRACKET(0, 10, 20, 56121000),
        BRACKET(57000000, 57000010, 57000020, 57000044),
    };
    struct clock_reading reading = read_scripted(answers, COUNT(answers));
    assert_int_equal(reading.window_ns, 44);
    assert_int_equal(reading.raw.ns, 57000010);
}

static void at_least_three_brackets_are_tried(void **state)
{
    (void)state;
    const int64_t answers[] = {BRACKET(0, 1, 2, 100)};
    read_scripted(answers, COUNT(answers));
    assert_in_range(reads, 3 * 4, 16 * 4);
    assert_int_equal(reads % 4, 0);
}

static void a_window_beyond_32_bits_is_clamped(void **state)
{
    (void)state;
    const int64_t answers[] = {BRACKET(0, 1, 2, INT64_C(5000000000))};
    struct clock_reading reading = read_scripted(answers, COUNT(answers));
    assert_int_equal(reading.window_ns, UINT32_MAX);
    assert_int_equal(reading.mono.ns, INT64_C(2500000000));
    const int64_t most[] = {BRACKET(0, 1, 2, (int64_t)UINT32_MAX - 1)};
    assert_int_equal(read_scripted(most, COUNT(most)).window_ns, UINT32_MAX - 1);
}

static void times_before_1970_are_read_too(void **state)
{
    (void)state;
    const int64_t answers[] = {BRACKET(100, 120, INT64_C(-1500000001), 140)};
    assert_int_equal(read_scripted(answers, COUNT(answers)).wall.ns, INT64_C(-1500000001));
}

static void the_real_clocks_lie_between_reads_around_them(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        mono_time before = mono_now();
        struct clock_reading reading = clocks_read();
        mono_time after = mono_now();
        assert_true(mono_diff_ns(reading.mono, before) >= 0);
        assert_true(mono_diff_ns(after, reading.mono) >= 0);
        assert_true(reading.window_ns <= mono_diff_ns(after, before));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tightest_bracket_wins_wherever_it_comes),
        cmocka_unit_test(a_preempted_bracket_is_not_believed),
        cmocka_unit_test(at_least_three_brackets_are_tried),
        cmocka_unit_test(a_window_beyond_32_bits_is_clamped),
        cmocka_unit_test(times_before_1970_are_read_too),
        cmocka_unit_test(the_real_clocks_lie_between_reads_around_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
