#include "upload/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] = "0123456789";

static void pieces_come_in_order_until_the_end(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), text, 10), 10);
    struct body bodies[2];
    body_init(&bodies[0], -1, text, 10);
    body_init(&bodies[1], fileno(file), NULL, 10);
    for (size_t i = 0; i < 2; i++) {
        struct stream *stream = &bodies[i].stream;
        char out[4];
        assert_int_equal(stream_read(stream, out, 4), 4);
        assert_memory_equal(out, "0123", 4);
        assert_int_equal(stream_read(stream, out, 4), 4);
        assert_memory_equal(out, "4567", 4);
        assert_int_equal(stream_read(stream, out, 4), 2);
        assert_memory_equal(out, "89", 2);
        assert_int_equal(stream_read(stream, out, 4), 0);
        assert_false(stream->failed);
    }
    assert_int_equal(lseek(fileno(file), 0, SEEK_CUR), 10); // where write left it
    fclose(file);
}

static void a_retry_starts_over(void **state)
{
    (void)state;
    struct body body;
    body_init(&body, -1, text, 10);
    char out[16];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stream_read(&body.stream, out, sizeof out), 10);
        assert_memory_equal(out, text, 10);
        assert_true(stream_restart(&body.stream));
    }
}

static void a_file_that_ends_early_or_can_not_be_read_fails(void **state)
{
    (void)state;
    char out[16];
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), text, 3), 3);
    struct body cut;
    body_init(&cut, fileno(file), NULL, 4);
    assert_int_equal(stream_read(&cut.stream, out, sizeof out), 3);
    assert_int_equal(stream_read(&cut.stream, out, sizeof out), -1);
    assert_true(cut.stream.failed);
    fclose(file);
    struct body closed;
    body_init(&closed, 1000000, NULL, 4);
    assert_int_equal(stream_read(&closed.stream, out, sizeof out), -1);
    assert_true(closed.stream.failed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_come_in_order_until_the_end),
        cmocka_unit_test(a_retry_starts_over),
        cmocka_unit_test(a_file_that_ends_early_or_can_not_be_read_fails),
    };
    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
