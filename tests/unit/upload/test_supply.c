#include "upload/supply.h"

#include "canned_server.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define T            INT64_C(1795362300) /* 2026-11-22 15:45:00 UTC */
#define SIGNED(life)                                                                               \
    "https://h/k?X-Amz-Date=20261122T154500Z&X-Amz-Expires=" life "&X-Amz-Signature=canary"
#define DATED(body) "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 15:45:00 GMT\r\n\r\n" body

static struct supply supply;
static struct supply_answer parsed;
static struct put *put;
static struct canned_server server;
static atomic_bool no_abort;
static const struct put_options options = {
    .user_agent = "test", .ca_bundle = "", .proxy = "", .allow_http = true};

static int start(void **state)
{
    (void)state;
    return put_open(&put);
}

static int finish(void **state)
{
    (void)state;
    supply_reset(&supply);
    put_close(put);
    return 0;
}

static int parse(const char *text, const char **why)
{
    return supply_parse(text, false, &parsed, why);
}

static void an_answer_names_the_urls_that_are_wanted(void **state)
{
    (void)state;
    const char *why;
    assert_int_equal(parse("{\"version\":1,\"time_log\":\"https://h/a?canary\","
                           "\"ntp_status\":null,\"ntp_failed_status\":\"\",\"new\":[1]}",
                           &why),
                     0);
    assert_string_equal(parsed.urls[OBJECT_TIME_LOG], "https://h/a?canary");
    assert_string_equal(parsed.urls[OBJECT_NTP_STATUS], "");
    assert_string_equal(parsed.urls[OBJECT_NTP_FAILED_STATUS], "");
    assert_int_equal(parsed.expiry_s, 0);
}

static void the_earliest_expiry_counts(void **state)
{
    (void)state;
    const char *why;
    assert_int_equal(
        parse("{\"version\":1,\"time_log\":\"" SIGNED("600") "\",\"ntp_status\":\"" SIGNED(
                  "300") "\",\"expires\":\"2026-11-22T16:45:00Z\"}",
              &why),
        0);
    assert_int_equal(parsed.expiry_s, T + 300);
    assert_int_equal(parsed.life_s, 300);
    assert_int_equal(parse("{\"version\":1,\"time_log\":\"https://h/a\","
                           "\"expires\":\"2026-11-22T16:45:00Z\"}",
                           &why),
                     0);
    assert_int_equal(parsed.expiry_s, T + 3600);
    assert_int_equal(parsed.life_s, 0);
}

static void an_answer_of_no_use_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "not a JSON object"},
        {"<html>", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{}", "version"},
        {"{\"version\":2}", "version"},
        {"{\"version\":\"1\"}", "version"},
        {"{\"version\":1,\"time_log\":7}", "not a string"},
        {"{\"version\":1,\"time_log\":\"ftp://h\"}", "http://"},
        {"{\"version\":1,\"time_log\":\"http://h\"}", "allow_http"},
        {"{\"version\":1,\"expires\":\"tomorrow\"}", "expires"},
        {"{\"version\":1,\"expires\":\"2026-11-22T16:45:00+01:00\"}", "expires"},
        {"{\"version\":1,\"expires\":1795362300}", "expires"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *why = NULL;
        assert_int_equal(parse(cases[i].text, &why), -EINVAL);
        assert_non_null(strstr(why, cases[i].why));
    }
}

static bool ask(const struct canned_reply *reply)
{
    char address[64];
    assert_int_equal(canned_start(&server, reply, 1), 0);
    snprintf(address, sizeof address, "http://127.0.0.1:%u/urls?canary", server.port);
    struct supply_question question = {
        .address = address, .options = &options, .abort = &no_abort, .random = UINT32_MAX};
    bool answered = supply_ask(&supply, put, &question);
    canned_stop(&server);
    assert_null(strstr(supply.reason, "canary"));
    return answered;
}

static mono_time in_s(int64_t seconds)
{
    return mono_add(mono_now(), seconds * NS_PER_S);
}

static void a_good_answer_rests_a_minute_and_lasts_nine_tenths_of_its_life(void **state)
{
    (void)state;
    static const struct canned_reply reply = {
        .bytes = DATED("{\"version\":1,\"time_log\":\"" SIGNED("10000") "\"}")};
    assert_true(supply_is_due(&supply, false, mono_now()));
    assert_true(ask(&reply));
    assert_ptr_equal(strstr(server.seen[0].head, "GET /urls?canary HTTP/1.1\r\n"),
                     server.seen[0].head);
    assert_int_equal(supply.outcome, OUTCOME_ACK);
    // By the answer's own Date: our clock, whatever it shows, has no part in it.
    assert_false(supply_is_due(&supply, false, in_s(8900)));
    assert_true(supply_is_due(&supply, false, in_s(9001)));
    assert_false(supply_is_due(&supply, true, in_s(50)));
    assert_true(supply_is_due(&supply, true, in_s(61)));
}

static void urls_that_are_dead_on_arrival_do_not_make_it_ask_without_pause(void **state)
{
    (void)state;
    static const struct canned_reply reply = {
        .bytes = "HTTP/1.1 200 OK\r\nDate: Thu, 31 Dec 2099 00:00:00 GMT\r\n\r\n"
                 "{\"version\":1,\"time_log\":\"" SIGNED("600") "\"}"};
    assert_true(ask(&reply));
    assert_false(supply_is_due(&supply, true, in_s(50)));
    assert_true(supply_is_due(&supply, false, in_s(61)));
}

static void the_same_answer_again_and_again_is_asked_for_ever_more_rarely(void **state)
{
    (void)state;
    static const struct canned_reply reply = {
        .bytes = DATED("{\"version\":1,\"time_log\":\"https://h/k\"}")};
    static const int64_t rests_s[] = {60, 60, 60, 60, 80, 160, 320, 640, 900, 900};
    for (size_t i = 0; i < COUNT(rests_s); i++) {
        assert_true(ask(&reply));
        assert_false(supply_is_due(&supply, true, in_s(rests_s[i] - 5)));
        assert_true(supply_is_due(&supply, true, in_s(rests_s[i] + 1)));
    }
    static const struct canned_reply other = {
        .bytes = DATED("{\"version\":1,\"time_log\":\"https://h/other\"}")};
    assert_true(ask(&other));
    assert_true(supply_is_due(&supply, true, in_s(61)));
}

static void urls_without_expiry_last_until_they_are_refused(void **state)
{
    (void)state;
    static const struct canned_reply reply = {
        .bytes = DATED("{\"version\":1,\"time_log\":\"https://h/k\"}")};
    assert_true(ask(&reply));
    assert_false(supply_is_due(&supply, false, in_s(1000000000)));
    assert_true(supply_is_due(&supply, true, in_s(61)));
}

static void a_failure_keeps_what_there_is_and_backs_off(void **state)
{
    (void)state;
    static const struct {
        struct canned_reply reply;
        enum outcome outcome;
        int64_t wait_s;
        const char *reason;
    } cases[] = {
        {{.bytes = "HTTP/1.1 403 No\r\n\r\n"}, OUTCOME_CREDENTIAL, 900, "HTTP 403"},
        {{.bytes = "HTTP/1.1 500 No\r\n\r\n"}, OUTCOME_TRANSIENT, 10, "HTTP 500"},
        {{.bytes = "HTTP/1.1 302 No\r\nLocation: http://127.0.0.1:1/\r\n\r\n"},
         OUTCOME_PORTAL,
         20,
         "HTTP 302"},
        {{.bytes = DATED("<html>login</html>")}, OUTCOME_PORTAL, 40, "not a JSON object"},
        {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"version\":1}"},
         OUTCOME_UNKNOWN_OUTCOME,
         80,
         ""},
        {{.bytes = "HTTP/1.1 200 OK\r\n\r\n", .flood = 40000}, OUTCOME_PORTAL, 160, ""},
    };
    static const struct canned_reply good = {
        .bytes = DATED("{\"version\":1,\"time_log\":\"https://h/k?canary\"}")};
    assert_true(ask(&good));
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(ask(&cases[i].reply));
        assert_int_equal(supply.outcome, cases[i].outcome);
        assert_ptr_equal(strstr(supply.reason, "url_source: "), supply.reason);
        assert_non_null(strstr(supply.reason, cases[i].reason));
        assert_false(supply_is_due(&supply, true, in_s(cases[i].wait_s - 2)));
        assert_true(supply_is_due(&supply, true, in_s(cases[i].wait_s + 1)));
        assert_string_equal(supply.answer->urls[OBJECT_TIME_LOG], "https://h/k?canary");
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_names_the_urls_that_are_wanted),
        cmocka_unit_test(the_earliest_expiry_counts),
        cmocka_unit_test(an_answer_of_no_use_says_why),
        cmocka_unit_test_setup_teardown(
            a_good_answer_rests_a_minute_and_lasts_nine_tenths_of_its_life, start, finish),
        cmocka_unit_test_setup_teardown(
            urls_that_are_dead_on_arrival_do_not_make_it_ask_without_pause, start, finish),
        cmocka_unit_test_setup_teardown(
            the_same_answer_again_and_again_is_asked_for_ever_more_rarely, start, finish),
        cmocka_unit_test_setup_teardown(urls_without_expiry_last_until_they_are_refused, start,
                                        finish),
        cmocka_unit_test_setup_teardown(a_failure_keeps_what_there_is_and_backs_off, start, finish),
    };
    return cmocka_run_group_tests_name("supply", tests, NULL, NULL);
}
