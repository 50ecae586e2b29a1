#include "timesource/ntp_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MEDIUM_CHANCE (UINT32_MAX / 2)

static mono_time at_s(int64_t s)
{
    return (mono_time){s * NS_PER_S};
}

// Asks whenever due for SECONDS, one look each second; how often that was.
static int count_questions(struct ntp_schedule *s, int64_t from_s, int64_t seconds, bool answers)
{
    int asked = 0;
    for (int64_t t = from_s; t < from_s + seconds; t++) {
        if (ntp_schedule_is_due(s, at_s(t))) {
            asked++;
            ntp_schedule_asked(s, at_s(t), MEDIUM_CHANCE);
            if (answers) {
                ntp_schedule_answered(s);
            } else {
                ntp_schedule_failed(s, at_s(t), MEDIUM_CHANCE);
            }
        }
    }
    return asked;
}

static void start_is_a_burst_of_four_two_seconds_apart(void **state)
{
    (void)state;
    struct ntp_schedule s;
    ntp_schedule_init(&s, at_s(100));
    assert_int_equal(count_questions(&s, 100, 6, true), 3);
    assert_int_equal(count_questions(&s, 106, 1, true), 1);
    assert_int_equal(count_questions(&s, 107, 63, true), 0);
}

static void steady_questions_are_never_closer_than_64_s(void **state)
{
    (void)state;
    static const uint32_t chances[] = {0, 1, UINT32_MAX / 2, UINT32_MAX};
    for (size_t i = 0; i < sizeof chances / sizeof chances[0]; i++) {
        struct ntp_schedule s;
        ntp_schedule_init(&s, at_s(0));
        s.burst_left = 0;
        ntp_schedule_asked(&s, at_s(1000), chances[i]);
        assert_in_range(s.due.ns, 1064 * NS_PER_S, 1072 * NS_PER_S);
        assert_false(ntp_schedule_is_due(&s, (mono_time){s.due.ns - 1}));
        assert_true(ntp_schedule_is_due(&s, s.due));
    }
}

static void day_of_answers_is_a_question_each_minute_or_so(void **state)
{
    (void)state;
    struct ntp_schedule s;
    ntp_schedule_init(&s, at_s(0));
    assert_in_range(count_questions(&s, 0, 86400, true), 86400 / 73, 86400 / 64 + 3);
}

static void silence_backs_off_to_1024_s(void **state)
{
    (void)state;
    struct ntp_schedule s;
    ntp_schedule_init(&s, at_s(0));
    assert_int_equal(count_questions(&s, 0, 8, false), 4); // the burst goes on
    assert_in_range(count_questions(&s, 8, 86400, false), 86400 / 1153, 86400 / 1024 + 5);
    assert_int_equal(s.interval_ns, NTP_INTERVAL_MAX_NS);
    ntp_schedule_answered(&s);
    assert_int_equal(s.interval_ns, NTP_INTERVAL_MIN_NS);
}

static void rate_kiss_quietens_and_slows_for_good(void **state)
{
    (void)state;
    struct ntp_schedule s;
    ntp_schedule_init(&s, at_s(0));
    ntp_schedule_asked(&s, at_s(0), 0);
    ntp_schedule_rate(&s, at_s(0), 0);
    assert_int_equal(count_questions(&s, 0, 1024, true), 0);
    assert_int_equal(count_questions(&s, 1024, 1, true), 1);
    assert_int_equal(s.interval_ns, 2 * NTP_INTERVAL_MIN_NS);
    for (int i = 0; i < 10; i++) {
        ntp_schedule_rate(&s, at_s(2000), 0);
    }
    assert_int_equal(s.floor_ns, NTP_INTERVAL_MAX_NS);
}

static void denied_is_never_asked_again(void **state)
{
    (void)state;
    struct ntp_schedule s;
    ntp_schedule_init(&s, at_s(0));
    ntp_schedule_deny(&s);
    assert_int_equal(count_questions(&s, 0, 10 * 86400, true), 0);
}

static void unresolved_name_keeps_the_burst_and_backs_off(void **state)
{
    (void)state;
    struct ntp_schedule s;
    ntp_schedule_init(&s, at_s(0));
    ntp_schedule_unresolved(&s, at_s(0), 0);
    assert_int_equal(s.due.ns, NTP_INTERVAL_MIN_NS);
    ntp_schedule_unresolved(&s, at_s(64), 0);
    assert_int_equal(s.due.ns, (64 + 128) * NS_PER_S);
    assert_int_equal(s.burst_left, NTP_BURST_COUNT);
    for (int i = 0; i < 10; i++) {
        ntp_schedule_unresolved(&s, at_s(1000), 0);
    }
    assert_int_equal(s.due.ns, 1000 * NS_PER_S + NTP_INTERVAL_MAX_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_is_a_burst_of_four_two_seconds_apart),
        cmocka_unit_test(steady_questions_are_never_closer_than_64_s),
        cmocka_unit_test(day_of_answers_is_a_question_each_minute_or_so),
        cmocka_unit_test(silence_backs_off_to_1024_s),
        cmocka_unit_test(rate_kiss_quietens_and_slows_for_good),
        cmocka_unit_test(denied_is_never_asked_again),
        cmocka_unit_test(unresolved_name_keeps_the_burst_and_backs_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
