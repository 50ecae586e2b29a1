#include "platform/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int must_not_be_called(void *ctx, const char *key, const char *value)
{
    (void)ctx;
    (void)key;
    (void)value;
    return -1;
}

static void a_camera_without_the_library_keeps_no_settings(void **state)
{
    (void)state;
    assert_int_equal(platform_each_parameter(must_not_be_called, NULL), 0);
    assert_int_equal(platform_each_parameter(must_not_be_called, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_camera_without_the_library_keeps_no_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
