#include "timesource/chrony_reading.h"

#include "test_data.h"
#include "timesource/chrony_wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define USUAL                                                                                      \
    (VALID_CLOCK_DIFF | VALID_STRATUM | VALID_LAST_OFFSET | VALID_FREQ | VALID_ROOT_DELAY |        \
     VALID_ROOT_DISPERSION | VALID_ERROR_BOUND)

static struct reading read_vector(const char *name)
{
    uint8_t reply[CHRONY_REPLY_BUFFER];
    struct report_tracking tracking;
    struct reading reading;
    test_data_read(name, reply, sizeof reply);
    chrony_decode_tracking(reply, &tracking);
    chrony_reading(&tracking, &reading);
    return reading;
}

static void slow_clock_has_a_negative_difference(void **state)
{
    (void)state;
    struct reading r = read_vector("chrony/v01-slow.bin");
    assert_int_equal(r.valid, USUAL);
    assert_int_equal(r.status, STATUS_NORMAL);
    assert_int_equal(r.clock_diff_ns, -49999416);
    assert_int_equal(r.last_offset_ns, -49);
    assert_int_equal(r.freq_ppt, -481836);
    assert_int_equal(r.root_delay_ns, 1427);
    assert_int_equal(r.root_dispersion_ns, 1573);
    assert_int_equal(r.error_bound_ns, 49999416 + 1573 + 1427 / 2);
    assert_int_equal(r.stratum, 4);
    assert_true(r.daemon_answered);
    assert_false(r.local_only);
}

static void fast_clock_has_a_positive_difference(void **state)
{
    (void)state;
    struct reading r = read_vector("chrony/v02-fast.bin");
    assert_int_equal(r.clock_diff_ns, 50001159);
    assert_int_equal(r.error_bound_ns, 50001159 + 1055 + 3898 / 2);
}

static void unsynchronised_daemon_tells_only_that(void **state)
{
    (void)state;
    static const char *const names[] = {"chrony/v03-never-synchronised.bin", "chrony/v09-lost.bin"};
    for (size_t i = 0; i < 2; i++) {
        struct reading r = read_vector(names[i]);
        assert_int_equal(r.status, STATUS_NOT_SYNCHRONISED);
        assert_int_equal(r.valid, 0);
    }
}

static void leap_words_follow_the_leap_code(void **state)
{
    (void)state;
    assert_int_equal(read_vector("chrony/v07-insert-second.bin").status, STATUS_INSERT_SECOND);
    assert_int_equal(read_vector("chrony/v08-delete-second.bin").status, STATUS_DELETE_SECOND);
    struct reading odd = read_vector("chrony/e01-odd.bin");
    assert_int_equal(odd.status, STATUS_UNKNOWN);
    assert_int_equal(odd.valid, 0);
}

static void local_mode_has_no_difference_to_tell(void **state)
{
    (void)state;
    struct reading r = read_vector("chrony/v04-local-only.bin");
    assert_int_equal(r.status, STATUS_NORMAL);
    assert_true(r.local_only);
    assert_int_equal(r.valid, VALID_STRATUM);
    assert_false(read_vector("chrony/v06-refclock.bin").local_only);
    assert_false(read_vector("chrony/v05-ipv6.bin").local_only);
}

static void absurd_values_are_absent(void **state)
{
    (void)state;
    struct reading r = read_vector("chrony/e02-large.bin"); // dispersion -4.6e18 s
    assert_int_equal(r.valid, USUAL & ~(uint32_t)(VALID_ROOT_DISPERSION | VALID_ERROR_BOUND));
    assert_int_equal(r.clock_diff_ns, INT64_C(8000000954));
}

static void every_double_is_taken_or_absent(void **state)
{
    (void)state;
    const double values[] = {NAN,     INFINITY, -INFINITY,    4.7e18,
                             -4.7e18, 1e300,    4294967297.0, -4294967297.0};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double x = values[i];
        struct reading r;
        struct report_tracking t = {
            .ref_id = 1,
            .correction_s = x,
            .last_offset_s = x,
            .freq_ppm = x,
            .root_delay_s = x,
            .root_dispersion_s = x,
            .update_interval_s = x,
        };
        int64_t interval_ns = 0;
        chrony_reading(&t, &r);
        assert_int_equal(r.valid, VALID_STRATUM);
        assert_false(chrony_interval_ns(x, &interval_ns));
    }
}

static void fifty_years_are_a_difference_like_any_other(void **state)
{
    (void)state;
    struct report_tracking t = {.ref_id = 1, .correction_s = 1577880000.0};
    struct reading r;
    chrony_reading(&t, &r);
    assert_int_equal(r.clock_diff_ns, INT64_C(-1577880000) * NS_PER_S);
    assert_int_equal(r.error_bound_ns, INT64_C(1577880000) * NS_PER_S);
}

static void interval_must_be_positive(void **state)
{
    (void)state;
    int64_t ns = -1;
    assert_false(chrony_interval_ns(0, &ns));
    assert_false(chrony_interval_ns(-498693440.0, &ns));
    assert_int_equal(ns, -1);
    assert_true(chrony_interval_ns(64.5, &ns));
    assert_int_equal(ns, INT64_C(64500000000));
}

// A reference time of EPOCH_S + n, read at a wall clock and a monotonic clock that we choose.
#define EPOCH_S INT64_C(1795348000)

static int64_t look(struct ref_age *age, int64_t ref_s, int64_t mono_s, int64_t wall_s)
{
    struct report_tracking t = {.ref_time_s = EPOCH_S + ref_s};
    return ref_age_update(age, &t, (mono_time){mono_s * NS_PER_S},
                          (wall_time){(EPOCH_S + wall_s) * NS_PER_S});
}

static void age_at_the_first_sight_is_by_the_wall_clock(void **state)
{
    (void)state;
    struct ref_age age = {0};
    assert_int_equal(look(&age, 0, 1000, 30), 30 * NS_PER_S);
    assert_int_equal(look(&age, 0, 1001, 31), 31 * NS_PER_S);
}

static void age_does_not_follow_a_wall_clock_that_jumps(void **state)
{
    (void)state;
    struct ref_age age = {0};
    look(&age, 0, 1000, 3);
    assert_int_equal(look(&age, 0, 1005, 3605), 8 * NS_PER_S);
    assert_int_equal(look(&age, 0, 1006, -100000), 9 * NS_PER_S);
}

static void age_starts_again_when_the_reference_changes(void **state)
{
    (void)state;
    struct ref_age age = {0};
    look(&age, 0, 1000, 60);
    assert_int_equal(look(&age, 60, 1001, 61), NS_PER_S); // blurred: at most since the last look
    assert_int_equal(look(&age, 60, 1003, 63), 3 * NS_PER_S);
    assert_int_equal(look(&age, 124, 1064, 124), 0);
}

static void age_after_a_long_silence_is_by_the_wall_clock_again(void **state)
{
    (void)state;
    struct ref_age age = {0};
    look(&age, 0, 1000, 0);
    assert_int_equal(look(&age, 500, 1600, 600), 100 * NS_PER_S);
}

static void age_with_an_insane_wall_clock_is_a_lower_bound(void **state)
{
    (void)state;
    struct ref_age before = {0};
    assert_int_equal(look(&before, 0, 1000, -5000), 0);
    assert_int_equal(look(&before, 0, 1010, -4990), 10 * NS_PER_S);
    struct ref_age after = {0};
    assert_int_equal(look(&after, 0, 1000, INT64_C(50) * 366 * 86400), 0);
}

static void any_reference_time_has_an_age(void **state)
{
    (void)state;
    const int64_t times[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_C(1) << 40};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct report_tracking t = {.ref_time_s = times[i],
                                    .ref_time_ns = 999999999,
                                    .correction_s = (i & 1) != 0 ? 4e18 : -4e9};
        struct ref_age age = {0};
        wall_time wall = {EPOCH_S * NS_PER_S};
        assert_in_range(ref_age_update(&age, &t, (mono_time){NS_PER_S}, wall), 0,
                        367 * INT64_C(86400) * NS_PER_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_clock_has_a_negative_difference),
        cmocka_unit_test(fast_clock_has_a_positive_difference),
        cmocka_unit_test(unsynchronised_daemon_tells_only_that),
        cmocka_unit_test(leap_words_follow_the_leap_code),
        cmocka_unit_test(local_mode_has_no_difference_to_tell),
        cmocka_unit_test(absurd_values_are_absent),
        cmocka_unit_test(every_double_is_taken_or_absent),
        cmocka_unit_test(fifty_years_are_a_difference_like_any_other),
        cmocka_unit_test(interval_must_be_positive),
        cmocka_unit_test(age_at_the_first_sight_is_by_the_wall_clock),
        cmocka_unit_test(age_does_not_follow_a_wall_clock_that_jumps),
        cmocka_unit_test(age_starts_again_when_the_reference_changes),
        cmocka_unit_test(age_after_a_long_silence_is_by_the_wall_clock_again),
        cmocka_unit_test(age_with_an_insane_wall_clock_is_a_lower_bound),
        cmocka_unit_test(any_reference_time_has_an_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
