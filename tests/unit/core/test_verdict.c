#include "core/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S INT64_C(1000000000)

static struct reading synced_by_chrony(void)
{
    return (struct reading){
        .valid = VALID_CLOCK_DIFF | VALID_REF_AGE | VALID_UPDATE_INTERVAL | VALID_REACH |
                 VALID_ERROR_BOUND,
        .source = SOURCE_CHRONY,
        .status = STATUS_NORMAL,
        .daemon_answered = true,
        .daemon_expected = true,
        .reachable = true,
        .ref_age_ns = 30 * S,
        .update_interval_ns = 64 * S,
    };
}

static struct reading without_daemon(enum source_id source, enum clock_status status)
{
    return (struct reading){
        .valid = VALID_CLOCK_DIFF | VALID_ERROR_BOUND | VALID_REF_AGE | VALID_UPDATE_INTERVAL,
        .source = source,
        .status = status,
        .clock_diff_ns = 1000,
        .error_bound_ns = 21000,
        .ref_age_ns = 10 * S,
        .update_interval_ns = 64 * S,
    };
}

static void fresh_reference_is_synced(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    r.status = STATUS_INSERT_SECOND;
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    r.status = STATUS_DELETE_SECOND;
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
}

static void reference_of_four_intervals_is_coasting(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    r.ref_age_ns = 4 * 64 * S - 1;
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    r.ref_age_ns = 4 * 64 * S;
    assert_int_equal(verdict_judge(&r), SYNC_COASTING);
    r.ref_age_ns = INT64_MAX;
    r.update_interval_ns = INT64_MAX;
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
}

static void short_interval_counts_as_a_second(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    r.update_interval_ns = S / 16;
    r.ref_age_ns = 2 * S; // the reference time is blurred by 1 s, and rows are 1 s apart
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    r.ref_age_ns = 4 * S;
    assert_int_equal(verdict_judge(&r), SYNC_COASTING);
}

static void start_burst_does_not_look_like_silence(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    r.update_interval_ns = 64 * S; // the longer of the last interval (2 s) and the poll (64 s)
    r.ref_age_ns = 63 * S;
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
}

static void no_reachable_server_is_coasting_at_once(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    r.reachable = false;
    assert_int_equal(verdict_judge(&r), SYNC_COASTING);
    r.valid &= ~(uint32_t)VALID_REACH;
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
}

static void leap_three_is_unsynced(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    r.status = STATUS_NOT_SYNCHRONISED;
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
    r.reachable = false;
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
}

static void contradicted_or_self_taught_daemon_is_unsynced(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    r.contradicted = true;
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
    r.contradicted = false;
    r.local_only = true;
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
}

static void daemon_with_an_invalid_leap_is_unknown(void **state)
{
    (void)state;
    struct reading r = synced_by_chrony();
    r.status = STATUS_UNKNOWN;
    assert_int_equal(verdict_judge(&r), SYNC_UNKNOWN);
}

static void expected_daemon_that_is_silent_is_unreachable(void **state)
{
    (void)state;
    struct reading r = without_daemon(SOURCE_SNTP, STATUS_NORMAL);
    r.daemon_expected = true;
    assert_int_equal(verdict_judge(&r), SYNC_UNREACHABLE);
    r.source = SOURCE_KERNEL;
    assert_int_equal(verdict_judge(&r), SYNC_UNREACHABLE);
}

static void nobody_at_all_is_unreachable(void **state)
{
    (void)state;
    struct reading none = {.source = SOURCE_NONE, .status = STATUS_UNKNOWN};
    assert_int_equal(verdict_judge(&none), SYNC_UNREACHABLE);
    struct reading kernel = without_daemon(SOURCE_KERNEL, STATUS_NOT_SYNCHRONISED);
    assert_int_equal(verdict_judge(&kernel), SYNC_UNREACHABLE);
}

static void kernel_vouches_where_no_daemon_is_expected(void **state)
{
    (void)state;
    struct reading r = without_daemon(SOURCE_KERNEL, STATUS_NORMAL);
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    r.ref_age_ns = 4 * 64 * S;
    assert_int_equal(verdict_judge(&r), SYNC_COASTING);
    r.contradicted = true;
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
}

static void sntp_server_vouches_for_a_clock_near_it(void **state)
{
    (void)state;
    struct reading r = without_daemon(SOURCE_SNTP, STATUS_NORMAL);
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    r.clock_diff_ns = -VERDICT_HELD_NS - 20000;
    r.error_bound_ns = VERDICT_HELD_NS + 20000 + 20000;
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED); // within the bound of the measurement
    r.clock_diff_ns = -VERDICT_HELD_NS - 20001;
    r.error_bound_ns = VERDICT_HELD_NS + 20001 + 20000;
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
    r.valid &= ~(uint32_t)VALID_CLOCK_DIFF;
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
}

static void silent_sntp_server_is_coasting(void **state)
{
    (void)state;
    struct reading r = without_daemon(SOURCE_SNTP, STATUS_NORMAL);
    r.ref_age_ns = 4 * 64 * S;
    assert_int_equal(verdict_judge(&r), SYNC_COASTING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_reference_is_synced),
        cmocka_unit_test(reference_of_four_intervals_is_coasting),
        cmocka_unit_test(short_interval_counts_as_a_second),
        cmocka_unit_test(start_burst_does_not_look_like_silence),
        cmocka_unit_test(no_reachable_server_is_coasting_at_once),
        cmocka_unit_test(leap_three_is_unsynced),
        cmocka_unit_test(contradicted_or_self_taught_daemon_is_unsynced),
        cmocka_unit_test(daemon_with_an_invalid_leap_is_unknown),
        cmocka_unit_test(expected_daemon_that_is_silent_is_unreachable),
        cmocka_unit_test(nobody_at_all_is_unreachable),
        cmocka_unit_test(kernel_vouches_where_no_daemon_is_expected),
        cmocka_unit_test(sntp_server_vouches_for_a_clock_near_it),
        cmocka_unit_test(silent_sntp_server_is_coasting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
