#include "timesource/chronyd.h"

#include "fake_chronyd.h"
#include "test_data.h"
#include "timesource/chrony_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// Long, so that a busy machine does not make an answer late; silence costs this much.
#define PATIENCE_NS (2 * NS_PER_S)
#define SILENCE_NS  (100 * NS_PER_MS)

// Minutes pass at a word.
static int64_t passed_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int result = __real_clock_gettime(clock, ts);
    int64_t ns = nstime_from_timespec(*ts);
    *ts = nstime_to_timespec(ns + __atomic_load_n(&passed_ns, __ATOMIC_RELAXED));
    return result;
}

static void let_pass(int64_t ns)
{
    __atomic_add_fetch(&passed_ns, ns, __ATOMIC_RELAXED);
}

struct bench {
    struct fake_chronyd *fake;
    struct timesource *chronyd;
    uint8_t tracking[CHRONY_REPLY_BUFFER];
};

static const struct fake_source one_source = {{127, 0, 0, 1}, 6, 0, 0377};

static void open_at(struct timesource **chronyd, uint16_t port)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    assert_int_equal(chronyd_open(chronyd, address), 0);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    size_t size = test_data_read("chrony/v02-fast.bin", b->tracking, sizeof b->tracking);
    b->fake = fake_chronyd_start(0, b->tracking, size);
    fake_chronyd_set_sources(b->fake, &one_source, 1);
    open_at(&b->chronyd, fake_chronyd_port(b->fake));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    timesource_close(b->chronyd);
    if (b->fake != NULL) {
        fake_chronyd_stop(b->fake);
    }
    free(b);
    return 0;
}

static int ask(struct bench *b, int64_t wait_ns, struct reading *out)
{
    return timesource_read(b->chronyd, mono_add(mono_now(), wait_ns), out);
}

static struct source_report report_of(struct bench *b)
{
    struct source_report report = {0};
    timesource_report(b->chronyd, &report);
    return report;
}

static void assert_good(struct bench *b)
{
    struct reading r;
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0);
    assert_int_equal(r.source, SOURCE_CHRONY);
    assert_int_equal(r.clock_diff_ns, 50001159);
    assert_true(r.daemon_answered);
}

static void answer_becomes_a_reading_and_a_report(void **state)
{
    struct bench *b = *state;
    assert_good(b);
    struct source_report report = report_of(b);
    assert_int_equal(report.valid, REPORT_TRACKING | REPORT_SOURCES | REPORT_ACTIVITY);
    assert_int_equal(report.tracking.ref_id, 0x7f000001);
    assert_int_equal(report.source_count, 1);
    assert_int_equal(report.sources[0].reach, 0377);
    assert_int_equal(report.sources[0].stats_valid, 1);
    assert_int_equal(report.sources[0].samples, 24);
    assert_int_equal(report.activity.online, 1);
    assert_int_equal(report.replies, 5);
    assert_int_equal(report.replies_rejected, 0);
}

static void list_is_asked_for_at_first_and_not_each_time(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 3; i++) {
        assert_good(b);
    }
    assert_int_equal(fake_chronyd_asked(b->fake, CHRONY_TRACKING), 3);
    assert_int_equal(fake_chronyd_asked(b->fake, CHRONY_N_SOURCES), 1);
}

static void list_is_asked_for_again_on_a_change_of_state(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_good(b);
    uint8_t never[CHRONY_REPLY_BUFFER];
    size_t size = test_data_read("chrony/v03-never-synchronised.bin", never, sizeof never);
    fake_chronyd_set_tracking(b->fake, never, size);
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0);
    assert_int_equal(r.status, STATUS_NOT_SYNCHRONISED);
    assert_int_equal(r.valid & VALID_CLOCK_DIFF, 0);
    assert_int_equal(fake_chronyd_asked(b->fake, CHRONY_N_SOURCES), 2);
}

static void interval_is_the_poll_when_the_last_update_was_quicker(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0); // update interval 0.06 s, poll 2^6 s
    assert_int_equal(r.update_interval_ns, 64 * NS_PER_S);
    assert_true((r.valid & VALID_REACH) != 0 && r.reachable);
}

static void interval_is_the_last_update_when_that_was_longer(void **state)
{
    struct bench *b = *state;
    struct reading r;
    const struct fake_source quick = {{127, 0, 0, 1}, -4, 0, 0377};
    fake_chronyd_set_sources(b->fake, &quick, 1);
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0);
    assert_in_range(r.update_interval_ns, 63500000, 63600000); // against 1/16 s
}

static void absurd_poll_is_not_believed(void **state)
{
    struct bench *b = *state;
    struct reading r;
    const struct fake_source absurd = {{127, 0, 0, 1}, 32767, 0, 0377};
    fake_chronyd_set_sources(b->fake, &absurd, 1);
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0);
    assert_int_equal(r.update_interval_ns, 64 * NS_PER_S);
}

static void no_server_in_reach_is_said(void **state)
{
    struct bench *b = *state;
    struct reading r;
    const struct fake_source dead[2] = {{{127, 0, 0, 1}, 6, 1, 0}, {{127, 0, 0, 2}, 6, 1, 0}};
    fake_chronyd_set_sources(b->fake, dead, 2);
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0);
    assert_true((r.valid & VALID_REACH) != 0);
    assert_false(r.reachable);
}

static void more_sources_than_we_keep_leave_the_reach_open(void **state)
{
    struct bench *b = *state;
    struct reading r;
    struct fake_source many[REPORT_SOURCES_MAX + 1] = {0};
    fake_chronyd_set_sources(b->fake, many, REPORT_SOURCES_MAX + 1);
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0);
    assert_int_equal(r.valid & VALID_REACH, 0);
    assert_int_equal(report_of(b).source_count, REPORT_SOURCES_MAX + 1);
}

static void spoilt_replies_are_counted_and_the_right_one_taken(void **state)
{
    struct bench *b = *state;
    static const enum fake_manner manners[] = {FAKE_TWICE, FAKE_WRONG_SEQUENCE, FAKE_WRONG_COMMAND,
                                               FAKE_FLOOD, FAKE_LONG};
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        fake_chronyd_behave(b->fake, manners[i]);
        uint32_t rejected = report_of(b).replies_rejected;
        assert_good(b);
        assert_good(b); // reads away the second copy of FAKE_TWICE
        if (manners[i] != FAKE_LONG) {
            assert_true(report_of(b).replies_rejected > rejected);
        }
    }
}

static void short_reply_and_wrong_version_are_no_answer(void **state)
{
    struct bench *b = *state;
    static const enum fake_manner manners[] = {FAKE_SHORT, FAKE_WRONG_VERSION, FAKE_SILENT};
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        struct reading r = {.stratum = 99};
        assert_good(b);
        fake_chronyd_behave(b->fake, manners[i]);
        assert_int_equal(ask(b, SILENCE_NS, &r), -ETIMEDOUT);
        assert_int_equal(r.stratum, 99);
        assert_int_equal(report_of(b).valid & REPORT_TRACKING, 0);
        assert_int_equal(report_of(b).replies_missing, i + 1);
        fake_chronyd_behave(b->fake, FAKE_ANSWER);
    }
    assert_true(report_of(b).replies_rejected >= 4);
}

static void lost_request_is_sent_once_more(void **state)
{
    struct bench *b = *state;
    assert_good(b);
    fake_chronyd_behave(b->fake, FAKE_SECOND_TRY);
    assert_good(b);
    assert_int_equal(fake_chronyd_asked(b->fake, CHRONY_TRACKING), 2);
}

static void refusal_is_told_apart_from_silence(void **state)
{
    struct bench *b = *state;
    static const uint16_t codes[] = {CHRONY_UNAUTHORISED, CHRONY_BAD_VERSION, CHRONY_BAD_LENGTH};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct reading r;
        fake_chronyd_refuse(b->fake, codes[i]);
        assert_int_equal(ask(b, PATIENCE_NS, &r), -EACCES);
        assert_int_equal(report_of(b).refusal, codes[i]);
    }
    fake_chronyd_behave(b->fake, FAKE_ANSWER);
    assert_good(b);
    assert_int_equal(report_of(b).refusal, 0);
}

static void daemon_that_is_gone_refuses_and_is_found_again(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_good(b);
    uint16_t port = fake_chronyd_port(b->fake);
    fake_chronyd_stop(b->fake);
    b->fake = NULL;
    assert_int_equal(ask(b, PATIENCE_NS, &r), -ECONNREFUSED);
    assert_int_equal(ask(b, PATIENCE_NS, &r), -ECONNREFUSED);
    b->fake = fake_chronyd_start(port, b->tracking, 104);
    assert_good(b);
}

/* ---- asked ahead ---- */

// Somebody else's questions come after ours, so when they are answered, ours are.
static void wait_for_answers(struct bench *b)
{
    struct timesource *other;
    struct reading r;
    open_at(&other, fake_chronyd_port(b->fake));
    assert_int_equal(timesource_read(other, mono_add(mono_now(), PATIENCE_NS), &r), 0);
    timesource_close(other);
}

// With a deadline that is over, only an answer that is there already is found.
static int ask_without_waiting(struct bench *b, struct reading *out)
{
    return timesource_read(b->chronyd, (mono_time){0}, out);
}

static void nothing_is_asked_ahead_of_a_daemon_that_did_not_answer(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_false(timesource_ask_ahead(b->chronyd));
    assert_good(b);
    assert_true(timesource_ask_ahead(b->chronyd));
    wait_for_answers(b);
    fake_chronyd_behave(b->fake, FAKE_SILENT);
    assert_int_equal(ask(b, SILENCE_NS, &r), 0); // that one was answered before
    assert_int_equal(ask(b, SILENCE_NS, &r), -ETIMEDOUT);
    assert_false(timesource_ask_ahead(b->chronyd));
}

static void answer_asked_ahead_is_there_without_a_wait(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_good(b);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(timesource_ask_ahead(b->chronyd));
        wait_for_answers(b);
        uint32_t asked = fake_chronyd_asked(b->fake, CHRONY_TRACKING);
        assert_int_equal(ask_without_waiting(b, &r), 0);
        assert_int_equal(r.clock_diff_ns, 50001159);
        assert_int_equal(fake_chronyd_asked(b->fake, CHRONY_TRACKING), asked);
    }
    assert_int_equal(report_of(b).replies_rejected, 0);
}

static void list_is_asked_ahead_when_it_is_due(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_good(b);
    let_pass(11 * NS_PER_S);
    const struct fake_source fallen = {{127, 0, 0, 1}, 6, 0, 0};
    fake_chronyd_set_sources(b->fake, &fallen, 1);
    assert_true(timesource_ask_ahead(b->chronyd));
    wait_for_answers(b);
    uint32_t asked = fake_chronyd_asked(b->fake, CHRONY_N_SOURCES);
    assert_int_equal(ask_without_waiting(b, &r), 0);
    assert_int_equal(fake_chronyd_asked(b->fake, CHRONY_N_SOURCES), asked);
    assert_true((r.valid & VALID_REACH) != 0 && !r.reachable);
    assert_int_equal(report_of(b).valid, REPORT_TRACKING | REPORT_SOURCES | REPORT_ACTIVITY);
}

static void list_that_has_grown_since_is_asked_for_anew(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_good(b);
    let_pass(11 * NS_PER_S);
    const struct fake_source two[] = {one_source, one_source};
    fake_chronyd_set_sources(b->fake, two, 2);
    assert_true(timesource_ask_ahead(b->chronyd));
    wait_for_answers(b);
    assert_int_equal(ask(b, PATIENCE_NS, &r), 0);
    assert_int_equal(report_of(b).source_count, 2);
    assert_int_equal(report_of(b).sources[1].reach, 0377);
}

static void answer_that_never_came_is_asked_for_again(void **state)
{
    struct bench *b = *state;
    assert_good(b);
    fake_chronyd_behave(b->fake, FAKE_SILENT); // and counts from 0
    assert_true(timesource_ask_ahead(b->chronyd));
    while (fake_chronyd_asked(b->fake, CHRONY_TRACKING) == 0) {
        usleep(1000);
    }
    fake_chronyd_behave(b->fake, FAKE_ANSWER);
    assert_good(b);
    assert_int_equal(fake_chronyd_asked(b->fake, CHRONY_TRACKING), 1);
}

static void late_answer_of_a_silent_daemon_is_heard_at_the_next_read(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_good(b);
    fake_chronyd_behave(b->fake, FAKE_SILENT);
    assert_int_equal(ask(b, SILENCE_NS, &r), -ETIMEDOUT);
    fake_chronyd_behave(b->fake, FAKE_ANSWER);
    assert_false(timesource_ask_ahead(b->chronyd)); // nothing to wait for
    wait_for_answers(b);
    assert_int_equal(ask_without_waiting(b, &r), 0);
    assert_int_equal(r.clock_diff_ns, 50001159);
    assert_true(timesource_ask_ahead(b->chronyd));
}

static void reference_age_is_as_of_the_asking(void **state)
{
    struct bench *b = *state;
    struct reading first;
    struct reading second;
    mono_time begin = mono_now();
    assert_int_equal(ask(b, PATIENCE_NS, &first), 0);
    assert_true(timesource_ask_ahead(b->chronyd));
    mono_time asked = mono_now();
    wait_for_answers(b);
    let_pass(5 * NS_PER_S);
    assert_int_equal(ask_without_waiting(b, &second), 0);
    assert_true(second.ref_age_ns - first.ref_age_ns <= mono_diff_ns(asked, begin));
}

static void malformed_address_is_refused(void **state)
{
    (void)state;
    struct timesource *none;
    assert_int_equal(chronyd_open(&none, "127.0.0.1"), -EINVAL);
    assert_int_equal(chronyd_open(&none, "localhost:323"), -EINVAL);
    assert_int_equal(chronyd_open(&none, "127.0.0.1:323x"), -EINVAL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(answer_becomes_a_reading_and_a_report),
        CASE(list_is_asked_for_at_first_and_not_each_time),
        CASE(list_is_asked_for_again_on_a_change_of_state),
        CASE(interval_is_the_poll_when_the_last_update_was_quicker),
        CASE(interval_is_the_last_update_when_that_was_longer),
        CASE(absurd_poll_is_not_believed),
        CASE(no_server_in_reach_is_said),
        CASE(more_sources_than_we_keep_leave_the_reach_open),
        CASE(spoilt_replies_are_counted_and_the_right_one_taken),
        CASE(short_reply_and_wrong_version_are_no_answer),
        CASE(lost_request_is_sent_once_more),
        CASE(refusal_is_told_apart_from_silence),
        CASE(daemon_that_is_gone_refuses_and_is_found_again),
        CASE(nothing_is_asked_ahead_of_a_daemon_that_did_not_answer),
        CASE(answer_asked_ahead_is_there_without_a_wait),
        CASE(list_is_asked_ahead_when_it_is_due),
        CASE(list_that_has_grown_since_is_asked_for_anew),
        CASE(answer_that_never_came_is_asked_for_again),
        CASE(late_answer_of_a_silent_daemon_is_heard_at_the_next_read),
        CASE(reference_age_is_as_of_the_asking),
        cmocka_unit_test(malformed_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
