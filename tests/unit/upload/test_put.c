#include "upload/put.h"

#include "canned_server.h"
#include "upload/backoff.h"
#include "upload/body.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ETAG         "ETag: \"900150983cd24fb0d6963f7d28e17f72\"\r\n"
#define STORED       "HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 0\r\n\r\n"
#define XML(code)    "Content-Length: 33\r\n\r\n<Error><Code>" code "</Code></Error>"

static struct put *put;
static struct canned_server server;
static struct put_answer answer;
static atomic_bool no_abort;
static char url[128];

static const struct put_options options = {
    .user_agent = "ntp_logger/test", .ca_bundle = "", .proxy = "", .allow_http = true};

static int open_put(void **state)
{
    (void)state;
    return put_open(&put);
}

static int close_put(void **state)
{
    (void)state;
    put_close(put);
    return 0;
}

static void serve(const struct canned_reply *replies, size_t count)
{
    assert_int_equal(canned_start(&server, replies, count), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/bucket/../key?X-Amz-Signature=canary",
             server.port);
}

static struct body body;

static struct put_request request_for_bytes(int fd, const char *data, uint64_t size)
{
    body_init(&body, fd, data, size);
    return (struct put_request){
        .options = &options, .url = url, .body = &body.stream, .abort = &no_abort};
}

static struct put_request request_for(const char *data)
{
    return request_for_bytes(-1, data, strlen(data));
}

static void send_text(const char *data)
{
    struct put_request request = request_for(data);
    put_send(put, &request, &answer);
}

static void a_stored_object_is_confirmed_and_arrives_whole(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 15:45:00 GMT\r\n" ETAG
                  "Content-Length: 0\r\n\r\n"}};
    serve(replies, 1);
    struct put_request request = request_for("abc");
    request.content_md5 = "kAFQmDzST7DWlj99KOF/cg==";
    request.content_encoding = "gzip";
    put_send(put, &request, &answer);
    canned_stop(&server);
    assert_int_equal(answer.transport, TRANSPORT_ANSWERED);
    assert_int_equal(answer.http_status, 200);
    assert_true(answer.confirmed);
    assert_string_equal(answer.etag_md5, "900150983cd24fb0d6963f7d28e17f72");
    assert_string_equal(answer.detail, "");
    assert_int_equal(answer.date_s, 1795362300);
    assert_int_equal(answer.sent, 3);
    const struct canned_request *seen = &server.seen[0];
    assert_memory_equal(seen->body, "abc", 3);
    assert_int_equal(seen->body_bytes, 3);
    assert_ptr_equal(strstr(seen->head, "PUT /bucket/../key?X-Amz-Signature=canary HTTP/1.1\r\n"),
                     seen->head);
    assert_non_null(strstr(seen->head, "\r\nContent-MD5: kAFQmDzST7DWlj99KOF/cg==\r\n"));
    assert_non_null(strstr(seen->head, "\r\nContent-Encoding: gzip\r\n"));
    assert_non_null(strstr(seen->head, "\r\nUser-Agent: ntp_logger/test\r\n"));
    assert_non_null(strstr(seen->head, "\r\nContent-Length: 3\r\n"));
    assert_null(strcasestr(seen->head, "Content-Type"));
    assert_null(strcasestr(seen->head, "Transfer-Encoding"));
}

static void no_other_answer_is_confirmed(void **state)
{
    (void)state;
    static const struct {
        struct canned_reply reply;
        enum transport transport;
        int status;
        const char *code;
    } cases[] = {
        {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, TRANSPORT_ANSWERED, 200, ""},
        {{.bytes = "HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 5\r\n\r\nlogin"},
         TRANSPORT_ANSWERED,
         200,
         ""},
        {{.bytes = "HTTP/1.1 200 OK\r\nETag: \"soon\"\r\nContent-Length: 0\r\n\r\n"},
         TRANSPORT_ANSWERED,
         200,
         ""},
        {{.bytes = "HTTP/1.1 204 No Content\r\n" ETAG "\r\n"}, TRANSPORT_ANSWERED, 204, ""},
        {{.bytes = "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n" ETAG
                   "Content-Length: 0\r\n\r\n"},
         TRANSPORT_ANSWERED,
         302,
         ""},
        {{.bytes = "HTTP/1.1 403 Forbidden\r\n" XML("Denied")}, TRANSPORT_ANSWERED, 403, "Denied"},
        {{.bytes = "HTTP/1.1 500 Oops\r\n" XML("Intern")}, TRANSPORT_ANSWERED, 500, "Intern"},
        {{.bytes = "HTTP/1.1 200 OK\r\nETag: \"9001"}, TRANSPORT_ANSWERED, 200, ""}, // cut
        {{.bytes = "HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 7\r\n\r\nabc"},
         TRANSPORT_BROKEN,
         200,
         ""},
        {{.bytes = NULL}, TRANSPORT_BROKEN, 0, ""},
        {{.bytes = NULL, .reset = true}, TRANSPORT_BROKEN, 0, ""},
        {{.bytes = "\x16\x03\x01 garbage\r\n\r\n"}, TRANSPORT_BROKEN, 0, ""},
        {{.bytes = "HTTP/1.1 200 OK\r\n" ETAG "\r\n", .flood = 1 << 20}, TRANSPORT_FLOOD, 200, ""},
        {{.bytes = "HTTP/1.1 200 OK\r\n" ETAG "X: ", .flood = 1 << 17}, TRANSPORT_FLOOD, 200, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        serve(&cases[i].reply, 1);
        send_text("abc");
        canned_stop(&server);
        print_message("case %zu: transport %d, HTTP %d, %s\n", i, (int)answer.transport,
                      answer.http_status, answer.detail);
        assert_false(answer.confirmed);
        assert_int_equal(answer.transport, cases[i].transport);
        assert_int_equal(answer.http_status, cases[i].status);
        assert_string_equal(answer.code, cases[i].code);
        assert_null(strstr(answer.detail, "canary"));
    }
}

static void an_answer_before_the_whole_body_is_not_confirmed(void **state)
{
    (void)state;
    // More than the socket buffers hold, so that it can not all be under way already.
    size_t size = (size_t)32 << 20;
    char *big = calloc(1, size);
    assert_non_null(big);
    static const struct canned_reply replies[] = {{.bytes = STORED, .early = true, .hang = true}};
    serve(replies, 1);
    struct put_request request = request_for_bytes(-1, big, size);
    put_send(put, &request, &answer);
    canned_stop(&server);
    free(big);
    assert_false(answer.confirmed);
    assert_true(answer.sent < size);
}

static void a_file_is_sent_from_its_beginning_and_to_its_size_only(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    serve(replies, 1);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), "0123456789", 10), 10);
    struct put_request request = request_for_bytes(fileno(file), NULL, 7);
    put_send(put, &request, &answer);
    canned_stop(&server);
    assert_true(answer.confirmed);
    assert_int_equal(server.seen[0].body_bytes, 7);
    assert_memory_equal(server.seen[0].body, "0123456", 7);
    assert_int_equal(lseek(fileno(file), 0, SEEK_CUR), 10);
    fclose(file);
}

static void a_file_shorter_than_promised_is_our_own_fault(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    serve(replies, 1);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), "0123456789", 10), 10);
    struct put_request request = request_for_bytes(fileno(file), NULL, 11);
    put_send(put, &request, &answer);
    canned_stop(&server);
    assert_int_equal(answer.transport, TRANSPORT_FILE);
    assert_false(answer.confirmed);
    fclose(file);
}

static void an_empty_object_can_be_sent(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    serve(replies, 1);
    send_text("");
    canned_stop(&server);
    assert_true(answer.confirmed);
    assert_non_null(strstr(server.seen[0].head, "\r\nContent-Length: 0\r\n"));
}

static void a_kept_connection_is_used_again(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED, .keep = true}};
    serve(replies, 1);
    // A fresh handle: the other tests left dead connections in the cache of this one.
    put_close(put);
    assert_int_equal(put_open(&put), 0);
    send_text("first");
    assert_true(answer.confirmed);
    send_text("second");
    assert_true(answer.confirmed);
    put_close(put); // else the server would wait for a third
    assert_int_equal(put_open(&put), 0);
    canned_stop(&server);
    assert_int_equal(atomic_load(&server.seen_count), 2);
    assert_int_equal(atomic_load(&server.connections), 1);
}

static void a_connection_that_died_meanwhile_does_no_harm(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}}; // closes without saying so
    serve(replies, 1);
    for (int i = 0; i < 3; i++) {
        send_text("again");
        assert_true(answer.confirmed);
        assert_int_equal(answer.sent, 5);
    }
    canned_stop(&server);
}

static void retry_after_comes_through(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {
        {.bytes = "HTTP/1.1 503 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"},
        {.bytes = "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n"}};
    serve(replies, 2);
    send_text("abc");
    assert_int_equal(answer.retry_after_s, 7);
    send_text("abc");
    assert_int_equal(answer.retry_after_s, BACKOFF_NO_RETRY_AFTER);
    canned_stop(&server);
}

static void what_can_not_be_reached_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum transport transport;
    } cases[] = {
        {"http://127.0.0.1:1/x?canary", TRANSPORT_NO_CONNECT},
        {"http://no-such-host.invalid/x?canary", TRANSPORT_NO_NAME},
        {"http://[::1/x?canary", TRANSPORT_BAD_ADDRESS},
        {"file:///etc/passwd?canary", TRANSPORT_NO_CONNECT}, // the scheme is refused unasked
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct put_request request = request_for("abc");
        request.url = cases[i].url;
        put_send(put, &request, &answer);
        print_message("case %zu: transport %d, %s\n", i, (int)answer.transport, answer.detail);
        assert_int_equal(answer.transport, cases[i].transport);
        assert_false(answer.confirmed);
        assert_int_equal(answer.http_status, 0);
        assert_true(strlen(answer.detail) > 0);
        assert_null(strstr(answer.detail, "canary"));
    }
}

static void plain_http_is_not_spoken_unless_allowed(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    serve(replies, 1);
    struct put_options strict = options;
    strict.allow_http = false;
    struct put_request request = request_for("abc");
    request.options = &strict;
    put_send(put, &request, &answer);
    canned_stop(&server);
    assert_false(answer.confirmed);
    assert_int_equal(atomic_load(&server.connections), 0);
}

static void tls_to_a_plain_server_sends_no_body(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED, .greet = true}};
    serve(replies, 1);
    char secure[64];
    snprintf(secure, sizeof secure, "https://127.0.0.1:%u/", server.port);
    struct put_request request = request_for("abc");
    request.url = secure;
    put_send(put, &request, &answer);
    canned_stop(&server);
    assert_int_equal(answer.transport, TRANSPORT_NO_TLS);
    assert_int_equal(answer.sent, 0);
}

static void a_proxy_of_the_environment_is_ignored(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < COUNT(names); i++) {
        setenv(names[i], "http://127.0.0.1:1", 1);
    }
    serve(replies, 1);
    send_text("abc");
    canned_stop(&server);
    for (size_t i = 0; i < COUNT(names); i++) {
        unsetenv(names[i]);
    }
    assert_true(answer.confirmed);
}

static void a_configured_proxy_is_used_whatever_no_proxy_says(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    serve(replies, 1);
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", server.port);
    struct put_options proxied = options;
    proxied.proxy = proxy;
    setenv("no_proxy", "*", 1);
    struct put_request request = request_for("abc");
    request.options = &proxied;
    request.url = "http://bucket.invalid/key";
    put_send(put, &request, &answer);
    unsetenv("no_proxy");
    canned_stop(&server);
    assert_true(answer.confirmed);
    assert_non_null(strstr(server.seen[0].head, "PUT http://bucket.invalid/key HTTP/1.1\r\n"));
}

static void *abort_when_asked(void *user)
{
    (void)user;
    // As soon as the request is there, the server hangs: stop it then.
    while (atomic_load(&server.seen_count) == 0) {
        usleep(1000);
    }
    atomic_store(&no_abort, true);
    return NULL;
}

static void a_hanging_transfer_ends_when_told(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = NULL, .hang = true}};
    serve(replies, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, abort_when_asked, NULL), 0);
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    send_text("abc");
    clock_gettime(CLOCK_MONOTONIC, &after);
    pthread_join(thread, NULL);
    atomic_store(&no_abort, false);
    canned_stop(&server);
    print_message("ended after %ld s\n", (long)(after.tv_sec - before.tv_sec));
    assert_int_equal(answer.transport, TRANSPORT_ABORTED);
    // Without the abort, the least of the time limits would end it after 30 s, as BROKEN.
    assert_true(after.tv_sec - before.tv_sec < 25);
}

static void a_transfer_told_to_stop_beforehand_sends_nothing(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED, .hang = true}};
    serve(replies, 1);
    atomic_store(&no_abort, true);
    send_text("abc");
    atomic_store(&no_abort, false);
    canned_stop(&server);
    assert_int_equal(answer.transport, TRANSPORT_ABORTED);
    assert_false(answer.confirmed);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_object_is_confirmed_and_arrives_whole),
        cmocka_unit_test(no_other_answer_is_confirmed),
        cmocka_unit_test(an_answer_before_the_whole_body_is_not_confirmed),
        cmocka_unit_test(a_file_is_sent_from_its_beginning_and_to_its_size_only),
        cmocka_unit_test(a_file_shorter_than_promised_is_our_own_fault),
        cmocka_unit_test(an_empty_object_can_be_sent),
        cmocka_unit_test(a_kept_connection_is_used_again),
        cmocka_unit_test(a_connection_that_died_meanwhile_does_no_harm),
        cmocka_unit_test(retry_after_comes_through),
        cmocka_unit_test(what_can_not_be_reached_is_told_apart),
        cmocka_unit_test(plain_http_is_not_spoken_unless_allowed),
        cmocka_unit_test(tls_to_a_plain_server_sends_no_body),
        cmocka_unit_test(a_proxy_of_the_environment_is_ignored),
        cmocka_unit_test(a_configured_proxy_is_used_whatever_no_proxy_says),
        cmocka_unit_test(a_hanging_transfer_ends_when_told),
        cmocka_unit_test(a_transfer_told_to_stop_beforehand_sends_nothing),
    };
    return cmocka_run_group_tests_name("put", tests, open_put, close_put);
}
