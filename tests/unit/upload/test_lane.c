#include "upload/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MINUTE_MS 60000u
#define HOUR_MS   (60 * MINUTE_MS)

static struct lane lane;
static mono_time now;
static uint32_t retry_in_ms;

static int start(void **state)
{
    (void)state;
    lane_reset(&lane);
    now = (mono_time){1000 * NS_PER_S};
    return 0;
}

static void pass_ms(uint32_t ms)
{
    now = mono_add(now, (int64_t)ms * NS_PER_MS);
}

static enum delivery_verdict settle(enum outcome outcome, const char *name)
{
    struct lane_event event = {.outcome = outcome,
                               .name = name,
                               .retry_after_s = BACKOFF_NO_RETRY_AFTER,
                               .now = now,
                               .random = UINT32_MAX};
    return lane_settle(&lane, &event, &retry_in_ms);
}

static void an_acknowledged_segment_lets_the_next_go_at_once(void **state)
{
    (void)state;
    assert_int_equal(lane_hold_ms(&lane, now), 0);
    assert_int_equal(settle(OUTCOME_ACK, "a"), DELIVERY_ACKNOWLEDGED);
    assert_int_equal(lane_hold_ms(&lane, now), 0);
}

static void a_failure_holds_the_lane_until_its_wait_is_over(void **state)
{
    (void)state;
    static const enum outcome outcomes[] = {
        OUTCOME_PORTAL, OUTCOME_CONFIG,  OUTCOME_TRANSIENT,       OUTCOME_CREDENTIAL,
        OUTCOME_CLOCK,  OUTCOME_OFFLINE, OUTCOME_UNKNOWN_OUTCOME, OUTCOME_TRUST,
        OUTCOME_LOCAL,  OUTCOME_THROTTLE};
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        start(state);
        assert_int_equal(settle(outcomes[i], "a"), DELIVERY_RETRY);
        assert_true(retry_in_ms >= BACKOFF_FLOOR_MS);
        assert_int_equal(lane_hold_ms(&lane, now), retry_in_ms);
        pass_ms(retry_in_ms - 1);
        assert_int_equal(lane_hold_ms(&lane, now), 1);
        pass_ms(1);
        assert_int_equal(lane_hold_ms(&lane, now), 0);
        assert_int_equal(settle(OUTCOME_ACK, "a"), DELIVERY_ACKNOWLEDGED);
        settle(OUTCOME_TRANSIENT, "b");
        assert_int_equal(retry_in_ms, 5000);
    }
}

static void waits_grow_with_failures_in_a_row(void **state)
{
    (void)state;
    settle(OUTCOME_OFFLINE, "a");
    assert_int_equal(retry_in_ms, 5000);
    settle(OUTCOME_UNKNOWN_OUTCOME, "a");
    assert_int_equal(retry_in_ms, 10000);
    settle(OUTCOME_TRANSIENT, "a");
    assert_int_equal(retry_in_ms, 20000);
}

static void refused_credentials_are_probed_not_hammered(void **state)
{
    (void)state;
    static const uint32_t waits[] = {15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 6 * HOUR_MS};
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(settle(OUTCOME_CREDENTIAL, "a"), DELIVERY_RETRY);
        assert_int_equal(retry_in_ms, waits[i]);
        pass_ms(retry_in_ms);
    }
    settle(OUTCOME_CREDENTIAL, "a");
    lane_reset(&lane); // a new URL
    assert_int_equal(lane_hold_ms(&lane, now), 0);
    settle(OUTCOME_CREDENTIAL, "a");
    assert_int_equal(retry_in_ms, 15 * MINUTE_MS);
}

static void a_segment_refused_for_what_it_is_lets_others_go_first(void **state)
{
    (void)state;
    assert_int_equal(settle(OUTCOME_PERMANENT, "a"), DELIVERY_LATER);
    assert_int_equal(retry_in_ms, 6 * HOUR_MS);
    assert_int_equal(lane_hold_ms(&lane, now), 0);
    assert_int_equal(settle(OUTCOME_ALREADY, "b"), DELIVERY_LATER);
    assert_int_equal(lane_hold_ms(&lane, now), 0);
}

static void when_all_segments_are_refused_one_probe_goes_each_15_minutes(void **state)
{
    (void)state;
    settle(OUTCOME_PERMANENT, "a");
    settle(OUTCOME_PERMANENT, "b");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(lane_hold_ms(&lane, now), 0);
        assert_int_equal(settle(OUTCOME_PERMANENT, "c"), DELIVERY_LATER);
        assert_int_equal(retry_in_ms, 6 * HOUR_MS);
        assert_int_equal(lane_hold_ms(&lane, now), 15 * MINUTE_MS);
        pass_ms(15 * MINUTE_MS);
    }
    settle(OUTCOME_ACK, "d");
    settle(OUTCOME_PERMANENT, "e");
    assert_int_equal(lane_hold_ms(&lane, now), 0);
}

static void bytes_that_do_not_arrive_are_tried_three_times(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        lane_reset(&lane);
        assert_int_equal(settle(OUTCOME_DATA, "a"), DELIVERY_RETRY);
        assert_int_equal(lane_hold_ms(&lane, now), retry_in_ms);
        assert_int_equal(settle(OUTCOME_DATA, "a"), DELIVERY_RETRY);
        pass_ms(retry_in_ms);
        assert_int_equal(settle(OUTCOME_DATA, "a"), DELIVERY_LATER);
        assert_true(retry_in_ms >= BACKOFF_FLOOR_MS);
        assert_int_equal(lane_hold_ms(&lane, now), 0);
        assert_int_equal(settle(OUTCOME_DATA, "a"), DELIVERY_RETRY);
    }
}

static void tries_are_counted_for_each_segment(void **state)
{
    (void)state;
    assert_int_equal(settle(OUTCOME_DATA, "a"), DELIVERY_RETRY);
    assert_int_equal(settle(OUTCOME_DATA, "a"), DELIVERY_RETRY);
    assert_int_equal(settle(OUTCOME_DATA, "b"), DELIVERY_RETRY);
    assert_int_equal(settle(OUTCOME_DATA, "b"), DELIVERY_RETRY);
    assert_int_equal(settle(OUTCOME_DATA, "b"), DELIVERY_LATER);
    assert_int_equal(settle(OUTCOME_DATA, NULL), DELIVERY_RETRY);
    assert_int_equal(settle(OUTCOME_DATA, NULL), DELIVERY_RETRY);
    assert_int_equal(settle(OUTCOME_DATA, NULL), DELIVERY_LATER);
}

static void a_throttling_server_sees_segments_further_apart(void **state)
{
    (void)state;
    struct lane_event event = {
        .outcome = OUTCOME_THROTTLE, .name = "a", .retry_after_s = 7, .now = now, .random = 0};
    assert_int_equal(lane_settle(&lane, &event, &retry_in_ms), DELIVERY_RETRY);
    assert_int_equal(retry_in_ms, 7000);
    settle(OUTCOME_THROTTLE, "a");
    static const uint32_t gaps[] = {4000, 2000, 0, 0};
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        pass_ms(lane_hold_ms(&lane, now));
        settle(OUTCOME_ACK, "a");
        assert_int_equal(lane_hold_ms(&lane, now), gaps[i]);
    }
    for (int i = 0; i < 40; i++) {
        settle(OUTCOME_THROTTLE, "a");
    }
    settle(OUTCOME_ACK, "a");
    assert_int_equal(lane_hold_ms(&lane, now), 64000);
}

static void a_stop_changes_nothing(void **state)
{
    (void)state;
    settle(OUTCOME_OFFLINE, "a");
    pass_ms(retry_in_ms);
    assert_int_equal(settle(OUTCOME_SHUTDOWN, "a"), DELIVERY_ABORTED);
    assert_int_equal(retry_in_ms, 0);
    assert_int_equal(lane_hold_ms(&lane, now), 0);
    settle(OUTCOME_OFFLINE, "a");
    assert_int_equal(retry_in_ms, 10000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_acknowledged_segment_lets_the_next_go_at_once, start),
        cmocka_unit_test_setup(a_failure_holds_the_lane_until_its_wait_is_over, start),
        cmocka_unit_test_setup(waits_grow_with_failures_in_a_row, start),
        cmocka_unit_test_setup(refused_credentials_are_probed_not_hammered, start),
        cmocka_unit_test_setup(a_segment_refused_for_what_it_is_lets_others_go_first, start),
        cmocka_unit_test_setup(when_all_segments_are_refused_one_probe_goes_each_15_minutes, start),
        cmocka_unit_test_setup(bytes_that_do_not_arrive_are_tried_three_times, start),
        cmocka_unit_test_setup(tries_are_counted_for_each_segment, start),
        cmocka_unit_test_setup(a_throttling_server_sees_segments_further_apart, start),
        cmocka_unit_test_setup(a_stop_changes_nothing, start),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
