#include "upload/answer.h"

#include "upload/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MD5          "0123456789abcdef0123456789abcdef"

static struct answer answer;

static bool add_line(const char *line)
{
    return answer_add_header(&answer, line, strlen(line));
}

static void only_etags_of_s3s_form_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool formed;
        const char *md5;
    } cases[] = {
        {"ETag: \"" MD5 "\"\r\n", true, MD5},
        {"etag:\"" MD5 "\"\r\n", true, MD5},
        {"ETAG: \t\"0123456789ABCDEF0123456789ABCDEF\" \r\n", true, MD5},
        {"ETag: \"" MD5 "-12\"\r\n", true, ""},
        {"ETag: \"" MD5 "-\"\r\n", false, ""},
        {"ETag: \"" MD5 "12\"\r\n", false, ""},
        {"ETag: \"" MD5 "-1x\"\r\n", false, ""},
        {"ETag: " MD5 "\r\n", false, ""},
        {"ETag: \"" MD5 "\r\n", false, ""},
        {"ETag: W/\"" MD5 "\"\r\n", false, ""},
        {"ETag: \"0123456789abcdef0123456789abcdeg\"\r\n", false, ""},
        {"ETag: \"0123456789abcdef\"\r\n", false, ""},
        {"ETag: \"\"\r\n", false, ""},
        {"ETag:\r\n", false, ""},
        {"ETag\r\n", false, ""},
        {"X-ETag: \"" MD5 "\"\r\n", false, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_begin(&answer);
        assert_true(add_line("HTTP/1.1 200 OK\r\n"));
        assert_true(add_line(cases[i].line));
        answer_finish(&answer);
        assert_int_equal(answer.etag_formed, cases[i].formed);
        assert_string_equal(answer.etag_md5, cases[i].md5);
    }
}

static void a_second_etag_replaces_the_first_even_when_malformed(void **state)
{
    (void)state;
    answer_begin(&answer);
    add_line("ETag: \"" MD5 "\"\r\n");
    add_line("ETag: nonsense\r\n");
    assert_false(answer.etag_formed);
    assert_string_equal(answer.etag_md5, "");
}

static void an_interim_answers_headers_are_forgotten(void **state)
{
    (void)state;
    answer_begin(&answer);
    add_line("HTTP/1.1 100 Continue\r\n");
    add_line("ETag: \"" MD5 "\"\r\n");
    add_line("\r\n");
    add_line("HTTP/1.1 200 OK\r\n");
    answer_finish(&answer);
    assert_false(answer.etag_formed);
}

static void retry_after_is_taken_as_the_server_meant_it(void **state)
{
    (void)state;
    static const struct {
        const char *retry_after;
        const char *date;
        int64_t seconds;
    } cases[] = {
        {"7", NULL, 7},
        {"0", NULL, 0},
        {"99999999999999999999999", NULL, INT64_C(1000000000000)},
        {"-1", NULL, BACKOFF_NO_RETRY_AFTER},
        {"soon", NULL, BACKOFF_NO_RETRY_AFTER},
        {"7 s", NULL, BACKOFF_NO_RETRY_AFTER},
        {"", NULL, BACKOFF_NO_RETRY_AFTER},
        {"Sun, 22 Nov 2026 15:47:00 GMT", "Sun, 22 Nov 2026 15:45:00 GMT", 120},
        {"Sun, 22 Nov 2026 15:45:00 GMT", "Sun, 22 Nov 2026 15:47:00 GMT", -120},
        {"Sun, 22 Nov 2026 15:47:00 GMT", NULL, BACKOFF_NO_RETRY_AFTER},
        {"Sun, 22 Nov 2026 15:47:00 GMT", "nonsense", BACKOFF_NO_RETRY_AFTER},
        {"Sun, 99 Nov 2026 15:47:00 GMT", "Sun, 22 Nov 2026 15:45:00 GMT", BACKOFF_NO_RETRY_AFTER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[128];
        answer_begin(&answer);
        snprintf(line, sizeof line, "Retry-After: %s\r\n", cases[i].retry_after);
        add_line(line);
        if (cases[i].date != NULL) {
            snprintf(line, sizeof line, "Date: %s\r\n", cases[i].date);
            add_line(line);
        }
        answer_finish(&answer);
        assert_true(
            answer.retry_after_s == cases[i].seconds ||
            (answer.retry_after_s > INT64_C(1000000000) && cases[i].seconds > INT64_C(1000000000)));
    }
}

static void the_servers_date_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t seconds;
    } cases[] = {
        {"Date: Sun, 22 Nov 2026 15:45:00 GMT\r\n", 1795362300},
        {"Date: Thu, 01 Jan 2099 00:00:00 GMT\r\n", INT64_C(4070908800)},
        {"Date: 22 Nov 2026\r\n", 0},
        {"Date: Sun, 22 Nov 2026 15:45:00 GMT and then some words that go on and on and on\r\n", 0},
        {"Date: Sun, 22 Nov 2026 15:45:00 GMT+1\r\n", 0},
        {"Date:\r\n", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_begin(&answer);
        add_line(cases[i].line);
        assert_int_equal(answer.date_s, cases[i].seconds);
    }
}

static void the_error_code_is_found_without_reading_xml(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *code;
    } cases[] = {
        {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>x</Message></Error>",
         "AccessDenied"},
        {"<Code>Server.Busy2</Code>", "Server.Busy2"},
        {"<Code></Code>", ""},
        {"<Code>Access", ""},
        {"<Code>", ""},
        {"<Code", ""},
        {"", ""},
        {"<Code>Access Denied</Code>", ""},
        {"<Code>&xxe;</Code>", ""},
        {"<Code>\x1b[31mRed</Code>", ""},
        {"<Code>ACodeThatGoesOnForLongerThanAnyCodeOfS3HasEverGone</Code>", ""},
        {"<html><body>login</body></html>", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_begin(&answer);
        // One byte at a time: a tag may be cut anywhere.
        for (const char *p = cases[i].body; *p != '\0'; p++) {
            assert_true(answer_add_body(&answer, p, 1));
        }
        answer_finish(&answer);
        assert_string_equal(answer.code, cases[i].code);
        assert_int_equal(answer.body_bytes, strlen(cases[i].body));
    }
}

static void a_code_cut_at_the_end_of_what_is_kept_is_no_code(void **state)
{
    (void)state;
    static char body[2 * ANSWER_KEPT_MAX];
    for (size_t tail = 0; tail < 40; tail++) {
        static const char code[] = "<Code>SlowDown</Code>";
        memset(body, ' ', sizeof body);
        memcpy(body + ANSWER_KEPT_MAX - tail, code, sizeof code - 1);
        answer_begin(&answer);
        answer_add_body(&answer, body, sizeof body);
        answer_finish(&answer);
        assert_string_equal(answer.code, tail > strlen("<Code>SlowDown") ? "SlowDown" : "");
    }
}

static void a_flood_is_refused_at_its_bound(void **state)
{
    (void)state;
    static char bytes[ANSWER_BODY_MAX + 1];
    memset(bytes, 'x', sizeof bytes);
    answer_begin(&answer);
    assert_true(answer_add_body(&answer, bytes, ANSWER_BODY_MAX));
    assert_false(answer_add_body(&answer, bytes, 1));
    answer_begin(&answer);
    assert_true(answer_add_header(&answer, bytes, ANSWER_HEADERS_MAX));
    assert_false(answer_add_header(&answer, "HTTP/1.1 200 OK\r\n", 17));
}

static void bytes_of_any_kind_do_no_harm(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srand(seed);
    static const char *const pieces[] = {"ETag:", "Date:",  "Retry-After:", "\"",  MD5, "-1",
                                         "HTTP/", "<Code>", "</Code>",      "GMT", " ", "\r\n",
                                         ":",     "Sun, 22"};
    for (int round = 0; round < 20000; round++) {
        char line[256];
        size_t len = 0;
        while (len < sizeof line - 40 && rand() % 8 != 0) {
            const char *piece = pieces[(size_t)rand() % COUNT(pieces)];
            memcpy(line + len, piece, strlen(piece));
            len += strlen(piece);
            line[len++] = (char)rand();
        }
        // An exact copy on the heap, so that a sanitizer sees one byte too far.
        char *exact = malloc(len + (len == 0));
        assert_non_null(exact);
        memcpy(exact, line, len);
        answer_begin(&answer);
        answer_add_header(&answer, exact, len);
        answer_add_body(&answer, exact, len);
        answer_finish(&answer);
        free(exact);
        assert_true(strlen(answer.code) < sizeof answer.code);
        assert_true(strlen(answer.etag_md5) == 0 || strlen(answer.etag_md5) == 32);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_etags_of_s3s_form_are_taken),
        cmocka_unit_test(a_second_etag_replaces_the_first_even_when_malformed),
        cmocka_unit_test(an_interim_answers_headers_are_forgotten),
        cmocka_unit_test(retry_after_is_taken_as_the_server_meant_it),
        cmocka_unit_test(the_servers_date_is_read),
        cmocka_unit_test(the_error_code_is_found_without_reading_xml),
        cmocka_unit_test(a_code_cut_at_the_end_of_what_is_kept_is_no_code),
        cmocka_unit_test(a_flood_is_refused_at_its_bound),
        cmocka_unit_test(bytes_of_any_kind_do_no_harm),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
