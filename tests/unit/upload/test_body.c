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

static struct body memory_body(void)
{
    return (struct body){.fd = -1, .data = text, .size = 10};
}

static void pieces_come_in_order_until_the_end(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), text, 10), 10);
    struct body bodies[] = {memory_body(), {.fd = fileno(file), .size = 10}};
    for (size_t i = 0; i < 2; i++) {
        char out[4];
        assert_int_equal(body_read(&bodies[i], out, 4), 4);
        assert_memory_equal(out, "0123", 4);
        assert_int_equal(body_read(&bodies[i], out, 4), 4);
        assert_memory_equal(out, "4567", 4);
        assert_int_equal(body_read(&bodies[i], out, 4), 2);
        assert_memory_equal(out, "89", 2);
        assert_int_equal(body_read(&bodies[i], out, 4), 0);
        assert_false(bodies[i].failed);
    }
    fclose(file);
}

static void a_retry_starts_over(void **state)
{
    (void)state;
    struct body body = memory_body();
    char out[16];
    assert_int_equal(body_read(&body, out, sizeof out), 10);
    assert_true(body_seek(&body, 0));
    assert_int_equal(body_read(&body, out, sizeof out), 10);
    assert_true(body_seek(&body, 10));
    assert_int_equal(body_read(&body, out, sizeof out), 0);
    assert_false(body_seek(&body, 11));
}

static void a_file_that_ends_early_or_can_not_be_read_fails(void **state)
{
    (void)state;
    char out[16];
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), text, 3), 3);
    struct body cut = {.fd = fileno(file), .size = 4};
    assert_int_equal(body_read(&cut, out, sizeof out), 3);
    assert_int_equal(body_read(&cut, out, sizeof out), -1);
    assert_true(cut.failed);
    fclose(file);
    struct body closed = {.fd = 1000000, .size = 4};
    assert_int_equal(body_read(&closed, out, sizeof out), -1);
    assert_true(closed.failed);
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
