#include "timesource/sntp.h"

#include "fake_ntp.h"

#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * The three clocks of the program under test: the machine's, shifted. PASSED moves all three, as
 * time does; STEPPED moves the wall clock alone, and the server is told how wrong that made it.
 */
static _Atomic int64_t passed_ns;
static _Atomic int64_t stepped_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int result = __real_clock_gettime(clock, ts);
    int64_t ns = nstime_from_timespec(*ts) + passed_ns;
    *ts = nstime_to_timespec(clock == CLOCK_REALTIME ? ns + stepped_ns : ns);
    return result;
}

struct bench {
    struct fake_ntp *server[2];
    struct timesource *sntp;
};

static const struct fake_ntp_manner right = {.stratum = 2, .reference_id = "\xc0\0\2\1"};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    char servers[64];
    assert_non_null(b);
    passed_ns = 0;
    stepped_ns = 0;
    b->server[0] = fake_ntp_start();
    b->server[1] = fake_ntp_start();
    snprintf(servers, sizeof servers, "127.0.0.1:%u", fake_ntp_port(b->server[0]));
    assert_int_equal(sntp_open(&b->sntp, servers), 0);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    timesource_close(b->sntp);
    fake_ntp_stop(b->server[0]);
    fake_ntp_stop(b->server[1]);
    free(b);
    return 0;
}

static int ask(struct bench *b, struct reading *out)
{
    return timesource_read(b->sntp, mono_now(), out);
}

static struct report_probe probe_of(struct bench *b, int i)
{
    static struct source_report report;
    report = (struct source_report){0};
    timesource_report(b->sntp, &report);
    return report.probes[i];
}

// Reads until the server's word on its Nth question is in, at most some real seconds.
static void run_until(struct bench *b, uint32_t answered, uint32_t rejected)
{
    struct reading reading;
    for (int i = 0; i < 5000; i++) {
        (void)ask(b, &reading);
        struct report_probe probe = probe_of(b, 0);
        if (probe.answered >= answered && probe.rejected >= rejected) {
            return;
        }
        struct timespec rest = {.tv_nsec = 1000000};
        nanosleep(&rest, NULL);
    }
    fail_msg("the server did not answer");
}

static void pass(int64_t ns)
{
    passed_ns += ns;
}

// Sets our clock; the server stays right.
static void step(struct bench *b, int64_t ns)
{
    struct fake_ntp_manner manner = right;
    stepped_ns += ns;
    manner.ahead_ns = -stepped_ns;
    fake_ntp_behave(b->server[0], &manner);
}

static void first_answer_is_a_reading(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_int_equal(ask(b, &r), -EAGAIN);
    run_until(b, 1, 0);
    assert_int_equal(ask(b, &r), 0);
    assert_int_equal(r.source, SOURCE_SNTP);
    assert_int_equal(r.status, STATUS_NORMAL);
    assert_int_equal(r.stratum, 3);
    assert_true(llabs(r.clock_diff_ns) <= r.error_bound_ns);
    assert_true(r.error_bound_ns < 50 * NS_PER_MS);
    assert_int_equal(r.error_bound_ns,
                     llabs(r.clock_diff_ns) + r.root_dispersion_ns + r.root_delay_ns / 2);
    assert_int_equal(r.update_interval_ns, 64 * NS_PER_S);
    assert_false(r.daemon_answered);
}

static void server_ahead_means_our_clock_is_slow(void **state)
{
    struct bench *b = *state;
    struct reading r;
    struct fake_ntp_manner ahead = right;
    ahead.ahead_ns = 50 * NS_PER_MS;
    fake_ntp_behave(b->server[0], &ahead);
    run_until(b, 1, 0);
    assert_int_equal(ask(b, &r), 0);
    int64_t bound_ns = r.error_bound_ns - llabs(r.clock_diff_ns);
    assert_true(r.clock_diff_ns < 0);
    assert_true(llabs(r.clock_diff_ns + 50 * NS_PER_MS) <= bound_ns);
}

static void announced_leap_second_is_passed_on(void **state)
{
    struct bench *b = *state;
    struct reading r;
    struct fake_ntp_manner leap = right;
    leap.leap = 1;
    fake_ntp_behave(b->server[0], &leap);
    run_until(b, 1, 0);
    assert_int_equal(ask(b, &r), 0);
    assert_int_equal(r.status, STATUS_INSERT_SECOND);
}

static void step_of_our_clock_is_carried_into_the_sample(void **state)
{
    struct bench *b = *state;
    struct reading before;
    struct reading after;
    run_until(b, 1, 0);
    assert_int_equal(ask(b, &before), 0);
    step(b, -3600 * NS_PER_S);
    assert_int_equal(ask(b, &after), 0);
    int64_t moved_ns = after.clock_diff_ns - before.clock_diff_ns;
    assert_true(llabs(moved_ns + 3600 * NS_PER_S) < 10 * NS_PER_MS);
}

static void sample_grows_old_with_its_bound(void **state)
{
    struct bench *b = *state;
    struct reading young;
    struct reading old;
    run_until(b, 1, 0);
    fake_ntp_behave(b->server[0], &(struct fake_ntp_manner){.silent = true});
    assert_int_equal(ask(b, &young), 0);
    pass(1000 * NS_PER_S);
    assert_int_equal(ask(b, &old), 0);
    assert_true(old.root_dispersion_ns >= young.root_dispersion_ns + 99 * NS_PER_MS);
    assert_true(old.ref_age_ns >= 1000 * NS_PER_S);
}

static void questions_follow_the_schedule(void **state)
{
    struct bench *b = *state;
    for (uint32_t i = 1; i <= 4; i++) {
        run_until(b, i, 0);
        pass(2 * NS_PER_S);
    }
    struct reading r;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ask(b, &r), 0);
        pass(5 * NS_PER_S);
    }
    assert_int_equal(fake_ntp_asked(b->server[0]), 4);
    pass(30 * NS_PER_S);
    run_until(b, 5, 0);
}

static void reply_with_a_foreign_cookie_is_rejected(void **state)
{
    struct bench *b = *state;
    struct reading r;
    struct fake_ntp_manner foreign = right;
    foreign.wrong_cookie = true;
    fake_ntp_behave(b->server[0], &foreign);
    run_until(b, 0, 1);
    assert_int_equal(ask(b, &r), -EAGAIN);
}

static void foreign_replies_do_not_hide_the_right_one(void **state)
{
    struct bench *b = *state;
    struct fake_ntp_manner foreign = right;
    foreign.foreign_first = 100; // more than are read at one call
    fake_ntp_behave(b->server[0], &foreign);
    run_until(b, 1, 100);
}

static void unsynchronised_server_is_no_reading(void **state)
{
    struct bench *b = *state;
    struct reading r;
    fake_ntp_behave(b->server[0], &(struct fake_ntp_manner){.leap = 3, .reference_id = "\0\0\0\0"});
    run_until(b, 0, 1);
    assert_int_equal(ask(b, &r), -EAGAIN);
    assert_int_equal(probe_of(b, 0).refused, 0);
}

static void denying_server_is_left_alone(void **state)
{
    struct bench *b = *state;
    struct reading r;
    fake_ntp_behave(b->server[0], &(struct fake_ntp_manner){.leap = 3, .reference_id = "DENY"});
    for (int i = 0; i < 5000 && !probe_of(b, 0).refused; i++) {
        struct timespec rest = {.tv_nsec = 1000000};
        (void)ask(b, &r);
        nanosleep(&rest, NULL);
    }
    assert_int_equal(probe_of(b, 0).refused, 1);
    for (int i = 0; i < 10; i++) {
        pass(10000 * NS_PER_S);
        assert_int_equal(ask(b, &r), -EAGAIN);
    }
    assert_int_equal(fake_ntp_asked(b->server[0]), 1);
}

static void step_inside_the_exchange_spoils_it(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_int_equal(ask(b, &r), -EAGAIN); // the question is on its way
    while (fake_ntp_asked(b->server[0]) == 0) {
    }
    stepped_ns += 100 * NS_PER_MS; // the answer, already here, can not know
    run_until(b, 0, 1);
    assert_int_equal(ask(b, &r), -EAGAIN);
}

static struct reading daemon_says(int64_t diff_ns)
{
    return (struct reading){
        .valid = VALID_CLOCK_DIFF | VALID_ERROR_BOUND,
        .source = SOURCE_CHRONY,
        .status = STATUS_NORMAL,
        .clock_diff_ns = diff_ns,
        .error_bound_ns = llabs(diff_ns) + 100 * NS_PER_US,
    };
}

static void daemon_that_agrees_is_not_contradicted(void **state)
{
    struct bench *b = *state;
    run_until(b, 1, 0);
    struct reading agrees = daemon_says(0);
    assert_false(sntp_contradicts(b->sntp, &agrees));
}

static void daemon_that_is_a_second_off_is_contradicted_until_the_next_sample(void **state)
{
    struct bench *b = *state;
    run_until(b, 1, 0);
    struct reading wrong = daemon_says(NS_PER_S);
    struct reading right_again = daemon_says(0);
    assert_true(sntp_contradicts(b->sntp, &wrong));
    assert_true(sntp_contradicts(b->sntp, &right_again));
    pass(70 * NS_PER_S);
    run_until(b, 2, 0);
    assert_false(sntp_contradicts(b->sntp, &right_again));
}

static void daemon_without_a_difference_is_not_compared(void **state)
{
    struct bench *b = *state;
    run_until(b, 1, 0);
    struct reading unsynced = {.status = STATUS_NOT_SYNCHRONISED};
    assert_false(sntp_contradicts(b->sntp, &unsynced));
    struct reading wrong = daemon_says(NS_PER_S);
    assert_true(sntp_contradicts(b->sntp, &wrong)); // the sample is still new to it
}

static void silent_server_loses_its_say(void **state)
{
    struct bench *b = *state;
    struct reading r;
    run_until(b, 1, 0);
    struct reading wrong = daemon_says(NS_PER_S);
    assert_true(sntp_contradicts(b->sntp, &wrong));
    fake_ntp_behave(b->server[0], &(struct fake_ntp_manner){.silent = true});
    pass(4 * 64 * NS_PER_S);
    (void)ask(b, &r);
    assert_false(sntp_contradicts(b->sntp, &wrong));
}

static void one_server_against_daemon_and_another_is_outvoted(void **state)
{
    struct bench *b = *state;
    char servers[64];
    timesource_close(b->sntp);
    struct fake_ntp_manner ahead = right;
    ahead.ahead_ns = NS_PER_S;
    fake_ntp_behave(b->server[1], &ahead);
    snprintf(servers, sizeof servers, "127.0.0.1:%u 127.0.0.1:%u", fake_ntp_port(b->server[0]),
             fake_ntp_port(b->server[1]));
    assert_int_equal(sntp_open(&b->sntp, servers), 0);
    run_until(b, 1, 0);
    while (probe_of(b, 1).answered == 0) {
        struct reading r;
        (void)ask(b, &r);
    }
    struct reading agrees = daemon_says(0);
    assert_false(sntp_contradicts(b->sntp, &agrees));
    struct reading alone = daemon_says(-30 * NS_PER_S);
    pass(70 * NS_PER_S);
    run_until(b, 2, 0);
    while (probe_of(b, 1).answered == 1) {
        struct reading r;
        (void)ask(b, &r);
    }
    assert_true(sntp_contradicts(b->sntp, &alone));
}

static void name_is_resolved_without_waiting(void **state)
{
    struct bench *b = *state;
    char servers[64];
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) != 0) {
        print_message("this machine knows no 'localhost' (no /etc/hosts?)\n");
        skip();
    }
    freeaddrinfo(found);
    timesource_close(b->sntp);
    snprintf(servers, sizeof servers, "localhost:%u", fake_ntp_port(b->server[0]));
    assert_int_equal(sntp_open(&b->sntp, servers), 0);
    run_until(b, 1, 0);
    assert_string_equal(probe_of(b, 0).server, "localhost");
}

static void name_that_does_not_exist_costs_nothing(void **state)
{
    struct bench *b = *state;
    struct reading r;
    timesource_close(b->sntp);
    assert_int_equal(sntp_open(&b->sntp, "no-such-host.invalid"), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(b, &r), -EAGAIN);
    }
    assert_int_equal(probe_of(b, 0).asked, 0);
}

static void malformed_lists_are_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "192.0.2.1:0", "192.0.2.1:99999",   "http://pool.example", "pool.example:12x",
        "a;b",         "1,2,3,4,5,6,7,8,9",
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct timesource *none;
        assert_int_equal(sntp_open(&none, lists[i]), -EINVAL);
    }
    struct timesource *eight;
    assert_int_equal(sntp_open(&eight, " a.example, b.example:1123,,[2001:db8::1]:123 ::1 5 6 7 8"),
                     0);
    timesource_close(eight);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(first_answer_is_a_reading),
        CASE(server_ahead_means_our_clock_is_slow),
        CASE(announced_leap_second_is_passed_on),
        CASE(step_of_our_clock_is_carried_into_the_sample),
        CASE(sample_grows_old_with_its_bound),
        CASE(questions_follow_the_schedule),
        CASE(reply_with_a_foreign_cookie_is_rejected),
        CASE(foreign_replies_do_not_hide_the_right_one),
        CASE(unsynchronised_server_is_no_reading),
        CASE(denying_server_is_left_alone),
        CASE(step_inside_the_exchange_spoils_it),
        CASE(daemon_that_agrees_is_not_contradicted),
        CASE(daemon_that_is_a_second_off_is_contradicted_until_the_next_sample),
        CASE(daemon_without_a_difference_is_not_compared),
        CASE(silent_server_loses_its_say),
        CASE(one_server_against_daemon_and_another_is_outvoted),
        CASE(name_is_resolved_without_waiting),
        CASE(name_that_does_not_exist_costs_nothing),
        cmocka_unit_test(malformed_lists_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
