/* Where a sender's keys come from when not from the settings: url_source, or direct mode's own. */
#include "sender_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define JSON(body) "HTTP/1.1 200 OK\r\n\r\n{\"version\":1," body "}"

/* A sender whose url_source is on the canned server; its URLs lead there, too. */
static void open_sourced_sender(const struct canned_reply *replies, size_t count)
{
    assert_int_equal(canned_start(&server, replies, count), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/urls?canary", server.port);
    struct sender_config config = config_with("");
    config.url_source = url;
    assert_int_equal(sender_open(&sender, &config), 0);
}

static char answer_text[2][512];

/* An answer that names one URL on the canned server, whose port is known only later. */
static const char *source_answer(int which, unsigned port, const char *query)
{
    snprintf(answer_text[which], sizeof answer_text[which],
             JSON("\"time_log\":\"http://127.0.0.1:%u/k?%s\""), port, query);
    return answer_text[which];
}

static void url_source_supplies_the_url(void **state)
{
    (void)state;
    struct canned_reply replies[] = {{.bytes = NULL}, {.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sourced_sender(replies, 2);
    replies[0].bytes = source_answer(0, server.port, "X-Amz-Signature=canary1");
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    put_text(OBJECT_TIME_LOG, "abc");
    put_text(OBJECT_NTP_STATUS, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_UNWANTED);  // the answer names none
    assert_int_equal(atomic_load(&server.seen_count), 3); // asked once, sent twice
    assert_non_null(strstr(server.seen[1].head, "PUT /k?X-Amz-Signature=canary1 "));
    assert_true(shown.source.wanted && shown.source.asked && shown.source.answered);
    assert_null(strstr(shown.source.where, "canary"));
}

static void a_url_refused_is_replaced_and_tried_at_once(void **state)
{
    (void)state;
    struct canned_reply replies[] = {
        {.bytes = REFUSED("AccessDenied")}, {.bytes = NULL}, {.bytes = STORED_AS(MD5_OF_ABC)}};
    assert_int_equal(canned_start(&server, replies, 3), 0);
    replies[1].bytes = source_answer(0, server.port, "X-Amz-Signature=canary2");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x?X-Amz-Signature=canary1", server.port);
    char source[64];
    snprintf(source, sizeof source, "http://127.0.0.1:%u/urls", server.port);
    struct sender_config config = config_with(url);
    assert_int_equal(sender_open(&sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    config.url_source = source;
    assert_int_equal(sender_configure(sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_int_equal(atomic_load(&server.seen_count), 3);
    assert_non_null(strstr(server.seen[2].head, "canary2"));
}

static void without_an_answer_the_source_is_asked_no_sooner_than_its_wait(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = "HTTP/1.1 403 No\r\n\r\n"}};
    open_sourced_sender(replies, 1);
    for (int i = 0; i < 3; i++) {
        put_text(OBJECT_TIME_LOG, "abc");
        assert_int_equal(result.verdict, DELIVERY_RETRY);
        assert_in_range(result.retry_in_ms, 14 * 60 * 1000, 15 * 60 * 1000);
        assert_non_null(strstr(result.reason, "url_source: HTTP 403"));
    }
    canned_stop(&server);
    assert_int_equal(atomic_load(&server.seen_count), 1);
    assert_int_equal(shown.source.outcome, OUTCOME_CREDENTIAL);
    assert_int_equal(shown.lanes[OBJECT_TIME_LOG].attempts, 0);
}

static void a_source_that_can_not_be_reached_leaves_the_settings_url_in_use(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    assert_int_equal(canned_start(&server, replies, 1), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x", server.port);
    struct sender_config config = config_with(url);
    config.url_source = "http://127.0.0.1:1/urls";
    assert_int_equal(sender_open(&sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_int_equal(shown.source.outcome, OUTCOME_OFFLINE);
}

static void an_offline_source_says_that_others_need_not_try(void **state)
{
    (void)state;
    struct sender_config config = config_with("");
    config.url_source = "http://127.0.0.1:1/urls";
    assert_int_equal(sender_open(&sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    assert_true(result.offline);
    assert_true(result.retry_in_ms >= 1000);
}

static struct sender_config direct_config(const char *endpoint)
{
    return (struct sender_config){.s3_endpoint = endpoint,
                                  .s3_region = "eu-north-1",
                                  .s3_bucket = "bucket",
                                  .s3_prefix = "cam 7/",
                                  .s3_key_id = "AKIDEXAMPLE",
                                  .s3_secret = "canary",
                                  .user_agent = "test",
                                  .allow_http = true};
}

static void direct_mode_signs_each_object_under_its_own_name(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    assert_int_equal(canned_start(&server, replies, 1), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", server.port);
    struct sender_config config = direct_config(url);
    assert_int_equal(sender_open(&sender, &config), 0);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        put_text((enum delivery_object)i, "abc");
        assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
        assert_string_equal(result.reason, "");
    }
    canned_stop(&server);
    const char *head = server.seen[0].head;
    assert_ptr_equal(strstr(head, "PUT /bucket/cam%207/segment HTTP/1.1\r\n"), head);
    assert_non_null(strstr(head, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert_non_null(strstr(head, "/eu-north-1/s3/aws4_request"));
    assert_non_null(strcasestr(head, "\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"));
    assert_non_null(strstr(head, MD5_LINE));
    assert_null(strstr(head, "canary"));
    assert_non_null(strstr(shown.lanes[0].where, "/bucket/cam%207/"));
}

static void an_endpoint_with_a_path_is_refused(void **state)
{
    (void)state;
    struct sender_config config = direct_config("https://h/path");
    assert_int_equal(sender_open(&sender, &config), -EINVAL);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(url_source_supplies_the_url, close_sender),
        cmocka_unit_test_teardown(a_url_refused_is_replaced_and_tried_at_once, close_sender),
        cmocka_unit_test_teardown(without_an_answer_the_source_is_asked_no_sooner_than_its_wait,
                                  close_sender),
        cmocka_unit_test_teardown(a_source_that_can_not_be_reached_leaves_the_settings_url_in_use,
                                  close_sender),
        cmocka_unit_test_teardown(an_offline_source_says_that_others_need_not_try, close_sender),
        cmocka_unit_test_teardown(direct_mode_signs_each_object_under_its_own_name, close_sender),
        cmocka_unit_test(an_endpoint_with_a_path_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
