#include "sender_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void an_object_without_address_is_unwanted(void **state)
{
    (void)state;
    struct sender_config config = {.user_agent = NULL};
    assert_int_equal(sender_open(&sender, &config), 0);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        put_text((enum delivery_object)i, "abc");
        assert_int_equal(result.verdict, DELIVERY_UNWANTED);
        assert_false(shown.lanes[i].wanted);
        assert_int_equal(shown.lanes[i].attempts, 0);
    }
}

static void a_stored_object_is_acknowledged_and_shows_in_the_state(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV4);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_int_equal(result.http_status, 200);
    assert_string_equal(result.reason, "");
    const struct sender_lane_state *lane = &shown.lanes[OBJECT_TIME_LOG];
    assert_true(lane->wanted && lane->attempted && lane->acknowledged);
    assert_int_equal(lane->outcome, OUTCOME_ACK);
    assert_int_equal(lane->acks, 1);
    assert_int_equal(lane->attempts, 1);
    assert_int_equal(lane->bytes_acked, 3);
    assert_true(lane->expires);
    assert_int_equal(lane->expiry_s, 1795362300 + 600);
    assert_null(strstr(lane->where, "canary"));
    assert_non_null(strstr(lane->where, "/bucket/key"));
    assert_non_null(strstr(server.seen[0].head, MD5_LINE));
}

static void a_failure_is_kept_told_and_not_repeated_too_early(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = REFUSED("AccessDenied")}};
    open_sender(replies, 1, SIGV4);
    for (int i = 0; i < 3; i++) {
        put_text(OBJECT_TIME_LOG, "abc");
        assert_int_equal(result.verdict, DELIVERY_RETRY);
        assert_int_equal(result.http_status, 403);
        assert_in_range(result.retry_in_ms, 14 * 60 * 1000, 15 * 60 * 1000);
        assert_non_null(strstr(result.reason, "HTTP 403 AccessDenied: "));
        assert_non_null(strstr(result.reason, "valid until 2026-11-22 15:55 UTC"));
        assert_false(result.offline);
    }
    canned_stop(&server);
    assert_int_equal(atomic_load(&server.seen_count), 1); // one probe
    assert_int_equal(shown.lanes[OBJECT_TIME_LOG].attempts, 1);
    assert_int_equal(shown.lanes[OBJECT_TIME_LOG].outcome, OUTCOME_CREDENTIAL);
    assert_string_equal(shown.lanes[OBJECT_TIME_LOG].reason, result.reason);
}

static void a_new_url_is_tried_at_once(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = REFUSED("AccessDenied")},
                                                  {.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 2, "X-Amz-Signature=canary");
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    strcat(url, "2");
    struct sender_config config = config_with(url);
    assert_int_equal(sender_configure(sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_non_null(strstr(server.seen[1].head, "Signature=canary2 HTTP/1.1"));
}

static void each_kind_of_object_has_its_own_patience(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = REFUSED("AccessDenied")},
                                                  {.bytes = STORED_AS(MD5_OF_ABC)}};
    assert_int_equal(canned_start(&server, replies, 2), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x", server.port);
    struct sender_config config = config_with(url);
    config.urls[OBJECT_NTP_STATUS] = url;
    assert_int_equal(sender_open(&sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    put_text(OBJECT_NTP_STATUS, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
}

static void a_signature_that_does_not_go_with_content_md5_works_without(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = REFUSED("SignatureDoesNotMatch")},
                                                  {.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 2, SIGV4);
    for (int i = 0; i < 2; i++) {
        put_text(OBJECT_TIME_LOG, "abc");
        assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    }
    canned_stop(&server);
    assert_int_equal(atomic_load(&server.seen_count), 3);
    assert_non_null(strstr(server.seen[0].head, MD5_LINE));
    assert_null(strstr(server.seen[1].head, "Content-MD5"));
    assert_null(strstr(server.seen[2].head, "Content-MD5")); // remembered
}

static void a_truly_wrong_signature_is_a_credential_problem(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = REFUSED("SignatureDoesNotMatch")}};
    open_sender(replies, 1, SIGV4);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    assert_int_equal(shown.lanes[OBJECT_TIME_LOG].outcome, OUTCOME_CREDENTIAL);
    assert_int_equal(atomic_load(&server.seen_count), 2);
}

static void a_sigv2_url_gets_no_header_that_it_would_have_to_sign(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV2);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_null(strstr(server.seen[0].head, "Content-MD5"));
}

static void the_time_log_goes_packed_when_asked_for_and_the_status_as_it_is(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV4);
    struct sender_config config = config_with(url);
    config.urls[OBJECT_NTP_STATUS] = url;
    config.compress = true;
    assert_int_equal(sender_configure(sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    put_text(OBJECT_NTP_STATUS, "abc");
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    canned_stop(&server);
    assert_non_null(strstr(server.seen[0].head, "\r\nContent-Encoding: gzip\r\n"));
    assert_memory_equal(server.seen[0].body, "\x1f\x8b\x08", 3); // RFC 1952: gzip, deflate
    assert_non_null(strstr(server.seen[0].head, "\r\nContent-MD5: "));
    assert_null(strstr(server.seen[0].head, MD5_LINE)); // of the packed bytes
    assert_null(strstr(server.seen[1].head, "Content-Encoding"));
    assert_memory_equal(server.seen[1].body, "abc", 3);
}

static void a_file_that_the_disk_changed_is_stored_and_told(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {
        {.bytes =
             "HTTP/1.1 400 No\r\nConnection: close\r\n\r\n<Error><Code>BadDigest</Code></Error>"},
        {.bytes = STORED_AS(MD5_OF_ABC)}};
    static const uint8_t as_written[16] = {1};
    open_sender(replies, 2, SIGV4);
    struct delivery_request request = {.object = OBJECT_TIME_LOG,
                                       .fd = -1,
                                       .data = "abc",
                                       .size = 3,
                                       .md5 = as_written,
                                       .name = "segment",
                                       .abort = &no_abort};
    struct delivery *delivery = sender_delivery(sender);
    delivery->put(delivery, &request, &result);
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_non_null(strstr(result.reason, "not what was written"));
    assert_int_equal(atomic_load(&server.seen_count), 2);
}

static void an_etag_that_is_not_the_md5_is_told_once_and_never_a_failure(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {
        {.bytes = STORED_AS("00000000000000000000000000000000")}};
    open_sender(replies, 1, SIGV4);
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_non_null(strstr(result.reason, "ETag"));
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
    assert_null(strstr(result.reason, "ETag"));
}

static void writing_one_url_again_asks_once_for_a_versioned_bucket(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV4);
    for (int i = 1; i <= 4; i++) {
        put_text(OBJECT_TIME_LOG, "abc");
        assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
        assert_int_equal(strstr(result.reason, "versioned") != NULL, i == 2);
    }
    canned_stop(&server);
}

static void an_unreachable_server_says_that_others_need_not_try(void **state)
{
    (void)state;
    struct sender_config config = config_with("http://127.0.0.1:1/x?canary");
    assert_int_equal(sender_open(&sender, &config), 0);
    put_text(OBJECT_TIME_LOG, "abc");
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    assert_true(result.offline);
    assert_int_equal(result.http_status, 0);
    put_text(OBJECT_TIME_LOG, "abc"); // held back
    assert_true(result.offline);
    assert_int_equal(shown.lanes[OBJECT_TIME_LOG].attempts, 1);
}

static void a_server_that_gives_no_answer_says_that_others_need_not_try(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = ""}};
    open_sender(replies, 1, SIGV4);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    assert_int_equal(result.http_status, 0);
    assert_true(result.offline);
}

static void an_unreadable_file_is_not_sent(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV4);
    FILE *file = tmpfile();
    assert_non_null(file);
    struct delivery_request request = {.object = OBJECT_TIME_LOG,
                                       .fd = fileno(file),
                                       .size = 10, // it has none
                                       .name = "segment",
                                       .abort = &no_abort};
    struct delivery *delivery = sender_delivery(sender);
    delivery->put(delivery, &request, &result);
    fclose(file);
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_RETRY);
    assert_non_null(strstr(result.reason, "reading the file"));
    assert_int_equal(atomic_load(&server.connections), 0);
}

static void a_stop_leaves_everything_open(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV4);
    atomic_store(&no_abort, true);
    put_text(OBJECT_TIME_LOG, "abc");
    atomic_store(&no_abort, false);
    assert_int_equal(result.verdict, DELIVERY_ABORTED);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
}

static void the_servers_clock_is_compared_with_ours(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {
        {.bytes = "HTTP/1.1 500 No\r\nDate: Fri, 01 Jan 2100 00:00:00 GMT\r\n"
                  "Content-Length: 0\r\n\r\n"}};
    open_sender(replies, 1, SIGV4);
    sender_get_state(sender, &shown);
    assert_false(shown.server_time_known);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_true(shown.server_time_known);
    assert_true(shown.server_ahead_s > 20LL * 365 * 86400);
}

static void bad_settings_are_refused_and_the_old_ones_stay(void **state)
{
    (void)state;
    char text[SENDER_TEXT_MAX + 1];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV4);
    struct sender_config bad = config_with("ftp://host/x");
    assert_int_equal(sender_configure(sender, &bad), -EINVAL);
    bad = config_with("http://host/x");
    bad.allow_http = false;
    assert_int_equal(sender_configure(sender, &bad), -EINVAL);
    bad = config_with("");
    bad.ca_bundle = text;
    assert_int_equal(sender_configure(sender, &bad), -ENAMETOOLONG);
    struct sender *none;
    assert_int_equal(sender_open(&none, &bad), -ENAMETOOLONG);
    put_text(OBJECT_TIME_LOG, "abc");
    canned_stop(&server);
    assert_int_equal(result.verdict, DELIVERY_ACKNOWLEDGED);
}

struct configurer {
    struct sender_config config;
    atomic_bool stop;
    int failures;
};

static void *configure_again_and_again(void *user)
{
    struct configurer *configurer = user;
    struct sender_state state;
    while (!atomic_load(&configurer->stop)) {
        configurer->failures += sender_configure(sender, &configurer->config) != 0;
        sender_get_state(sender, &state);
        usleep(200);
    }
    return NULL;
}

static void settings_may_change_while_transfers_run(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED_AS(MD5_OF_ABC)}};
    open_sender(replies, 1, SIGV4);
    struct configurer configurer = {.config = config_with(url)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, configure_again_and_again, &configurer), 0);
    int acknowledged = 0;
    for (int i = 0; i < 50; i++) {
        struct delivery_request request = {.object = OBJECT_TIME_LOG,
                                           .fd = -1,
                                           .data = "abc",
                                           .size = 3,
                                           .name = "segment",
                                           .abort = &no_abort};
        struct delivery *delivery = sender_delivery(sender);
        delivery->put(delivery, &request, &result);
        acknowledged += result.verdict == DELIVERY_ACKNOWLEDGED;
    }
    atomic_store(&configurer.stop, true);
    pthread_join(thread, NULL);
    canned_stop(&server);
    assert_int_equal(acknowledged, 50);
    assert_int_equal(configurer.failures, 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_object_without_address_is_unwanted, close_sender),
        cmocka_unit_test_teardown(a_stored_object_is_acknowledged_and_shows_in_the_state,
                                  close_sender),
        cmocka_unit_test_teardown(a_failure_is_kept_told_and_not_repeated_too_early, close_sender),
        cmocka_unit_test_teardown(a_new_url_is_tried_at_once, close_sender),
        cmocka_unit_test_teardown(each_kind_of_object_has_its_own_patience, close_sender),
        cmocka_unit_test_teardown(a_signature_that_does_not_go_with_content_md5_works_without,
                                  close_sender),
        cmocka_unit_test_teardown(a_truly_wrong_signature_is_a_credential_problem, close_sender),
        cmocka_unit_test_teardown(a_sigv2_url_gets_no_header_that_it_would_have_to_sign,
                                  close_sender),
        cmocka_unit_test_teardown(the_time_log_goes_packed_when_asked_for_and_the_status_as_it_is,
                                  close_sender),
        cmocka_unit_test_teardown(a_file_that_the_disk_changed_is_stored_and_told, close_sender),
        cmocka_unit_test_teardown(an_etag_that_is_not_the_md5_is_told_once_and_never_a_failure,
                                  close_sender),
        cmocka_unit_test_teardown(writing_one_url_again_asks_once_for_a_versioned_bucket,
                                  close_sender),
        cmocka_unit_test_teardown(an_unreachable_server_says_that_others_need_not_try,
                                  close_sender),
        cmocka_unit_test_teardown(a_server_that_gives_no_answer_says_that_others_need_not_try,
                                  close_sender),
        cmocka_unit_test_teardown(an_unreadable_file_is_not_sent, close_sender),
        cmocka_unit_test_teardown(a_stop_leaves_everything_open, close_sender),
        cmocka_unit_test_teardown(the_servers_clock_is_compared_with_ours, close_sender),
        cmocka_unit_test_teardown(bad_settings_are_refused_and_the_old_ones_stay, close_sender),
        cmocka_unit_test_teardown(settings_may_change_while_transfers_run, close_sender),
    };
    return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
