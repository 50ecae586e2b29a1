/*
 * One attempt against a canned server: what it reads, what it sends, what it makes of the answer.
 */
#include "upload/attempt.h"

#include "canned_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STORED "HTTP/1.1 200 OK\r\nETag: \"900150983cd24fb0d6963f7d28e17f72\"\r\n" KEPT
#define KEPT   "Content-Length: 0\r\nConnection: close\r\n\r\n"
#define BAD_DIGEST                                                                                 \
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<Error><Code>BadDigest</Code></Error>"
#define LINE_OF_ABC  "\r\nContent-MD5: kAFQmDzST7DWlj99KOF/cg==\r\n"
#define LINE_OF_ZERO "\r\nContent-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

static const uint8_t md5_of_abc[16] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                       0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
static const uint8_t wrong_md5[16];

static struct canned_server server;
static struct put *put;
static struct attempt attempt;
static FILE *file;
static bool compress;
static bool send_md5;

/* ---- reads of the file ---- */

static unsigned reads;
static unsigned failing_read; /* the read with this number fails; 0: none */

ssize_t __real_pread64(int fd, void *out, size_t size, off_t at);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t at);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t at)
{
    reads++;
    return reads == failing_read ? -1 : __real_pread64(fd, out, size, at);
}

ssize_t __real___pread64_chk(int fd, void *out, size_t size, off_t at, size_t room);
ssize_t __wrap___pread64_chk(int fd, void *out, size_t size, off_t at, size_t room);
ssize_t __wrap___pread64_chk(int fd, void *out, size_t size, off_t at, size_t room)
{
    reads++;
    return reads == failing_read ? -1 : __real___pread64_chk(fd, out, size, at, room);
}

/* ---- the bench ---- */

static int open_bench(void **state)
{
    (void)state;
    reads = 0;
    failing_read = 0;
    compress = false;
    send_md5 = true;
    file = tmpfile();
    return file != NULL && write(fileno(file), "abc", 3) == 3 ? put_open(&put) : -1;
}

static int close_bench(void **state)
{
    (void)state;
    put_close(put);
    fclose(file);
    return 0;
}

static void run(const struct canned_reply *replies, size_t count, const uint8_t *md5)
{
    static const atomic_bool never;
    static const struct put_options options = {
        .user_agent = "test", .ca_bundle = "", .proxy = "", .allow_http = true};
    char url[64];
    assert_int_equal(canned_start(&server, replies, count), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/bucket/key", server.port);
    struct attempt_target target = {
        .url = url, .options = &options, .send_md5 = send_md5, .compress = compress};
    struct delivery_request request = {.object = OBJECT_TIME_LOG,
                                       .fd = fileno(file),
                                       .size = 3,
                                       .md5 = md5,
                                       .name = "segment",
                                       .abort = &never};
    attempt_run(&attempt, put, &target, &request);
    canned_stop(&server);
}

/* ---- tests ---- */

static void a_request_without_md5_is_read_once_for_it_and_once_to_be_sent(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    run(replies, 1, NULL);
    assert_int_equal(attempt.outcome, OUTCOME_ACK);
    assert_non_null(strstr(server.seen[0].head, LINE_OF_ABC));
    assert_int_equal(reads, 2);
}

static void a_request_with_md5_is_read_to_be_sent_only(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    run(replies, 1, md5_of_abc);
    assert_int_equal(attempt.outcome, OUTCOME_ACK);
    assert_true(attempt.digest_known);
    assert_string_equal(attempt.digest.hex, "900150983cd24fb0d6963f7d28e17f72");
    assert_false(attempt.file_differs);
    assert_non_null(strstr(server.seen[0].head, LINE_OF_ABC));
    assert_memory_equal(server.seen[0].body, "abc", 3);
    assert_int_equal(reads, 1);
}

static void a_packed_request_needs_its_own_md5(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    compress = true;
    run(replies, 1, md5_of_abc);
    assert_int_equal(attempt.outcome, OUTCOME_ACK);
    assert_non_null(strstr(server.seen[0].head, "\r\nContent-MD5: "));
    assert_null(strstr(server.seen[0].head, LINE_OF_ABC));
    assert_int_equal(reads, 2);
}

static void a_file_that_is_not_what_was_written_is_sent_as_it_is(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = BAD_DIGEST}, {.bytes = STORED}};
    run(replies, 2, wrong_md5);
    assert_int_equal(attempt.outcome, OUTCOME_ACK);
    assert_true(attempt.file_differs);
    assert_string_equal(attempt.digest.hex, "900150983cd24fb0d6963f7d28e17f72");
    assert_int_equal(atomic_load(&server.seen_count), 2);
    assert_non_null(strstr(server.seen[0].head, LINE_OF_ZERO));
    assert_non_null(strstr(server.seen[1].head, LINE_OF_ABC));
    assert_memory_equal(server.seen[1].body, "abc", 3);
    assert_int_equal(server.seen[1].body_bytes, 3);
}

static void bytes_that_changed_on_the_way_are_left_to_the_next_attempt(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = BAD_DIGEST}, {.bytes = STORED}};
    run(replies, 2, md5_of_abc);
    assert_int_equal(attempt.outcome, OUTCOME_DATA);
    assert_false(attempt.file_differs);
    assert_int_equal(atomic_load(&server.seen_count), 1);
}

static void a_bad_digest_of_a_pass_of_our_own_is_not_sent_again(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = BAD_DIGEST}, {.bytes = STORED}};
    run(replies, 2, NULL);
    assert_int_equal(attempt.outcome, OUTCOME_DATA);
    assert_int_equal(atomic_load(&server.seen_count), 1);
    compress = true;
    run(replies, 2, wrong_md5); // of other bytes than those sent
    assert_int_equal(attempt.outcome, OUTCOME_DATA);
    assert_int_equal(atomic_load(&server.seen_count), 1);
}

static void a_file_that_can_not_be_read_after_a_bad_digest_is_told(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = BAD_DIGEST}, {.bytes = STORED}};
    failing_read = 2;
    run(replies, 2, wrong_md5);
    assert_int_equal(attempt.outcome, OUTCOME_DATA);
    assert_false(attempt.file_differs);
    assert_int_equal(attempt.answer.transport, TRANSPORT_FILE);
    assert_int_equal(atomic_load(&server.seen_count), 1);
}

static void a_second_refusal_stands(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = BAD_DIGEST}, {.bytes = BAD_DIGEST}};
    run(replies, 2, wrong_md5);
    assert_int_equal(attempt.outcome, OUTCOME_DATA);
    assert_int_equal(atomic_load(&server.seen_count), 2);
}

static void a_url_that_takes_no_md5_gets_none(void **state)
{
    (void)state;
    static const struct canned_reply replies[] = {{.bytes = STORED}};
    send_md5 = false;
    run(replies, 1, md5_of_abc);
    assert_int_equal(attempt.outcome, OUTCOME_ACK);
    assert_null(strstr(server.seen[0].head, "Content-MD5"));
    assert_int_equal(reads, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_request_without_md5_is_read_once_for_it_and_once_to_be_sent),
        TEST(a_request_with_md5_is_read_to_be_sent_only),
        TEST(a_packed_request_needs_its_own_md5),
        TEST(a_file_that_is_not_what_was_written_is_sent_as_it_is),
        TEST(bytes_that_changed_on_the_way_are_left_to_the_next_attempt),
        TEST(a_bad_digest_of_a_pass_of_our_own_is_not_sent_again),
        TEST(a_file_that_can_not_be_read_after_a_bad_digest_is_told),
        TEST(a_second_refusal_stands),
        TEST(a_url_that_takes_no_md5_gets_none),
    };
    return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
