#include "app/inputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_others_can_see_holds_names_only(void **state)
{
    (void)state;
    char argument[] = "s3_secret_access_key=canary=1";
    char broken[] = "canary";
    char variable[] = "NTP_LOGGER_URL_SOURCE=https://h/?canary";
    char foreign[] = "HOME=/root";
    char *environment[] = {foreign, variable, NULL};
    struct options options = {
        .config_file = "file", .assignments = {argument, broken}, .assignment_count = 2};
    static struct config_inputs inputs; // the copies are never freed
    assert_int_equal(inputs_take(&inputs, &options, environment), 0);
    assert_string_equal(argument, "s3_secret_access_key=********");
    assert_string_equal(broken, "******");
    assert_string_equal(variable, "NTP_LOGGER_URL_SOURCE=*****************");
    assert_string_equal(foreign, "HOME=/root");
    assert_string_equal(inputs.file, "file");
    assert_int_equal(inputs.assignment_count, 2);
    assert_string_equal(inputs.assignments[0], "s3_secret_access_key=canary=1");
    assert_string_equal(inputs.assignments[1], "canary");
    assert_string_equal(inputs.environment[0], "NTP_LOGGER_URL_SOURCE=https://h/?canary");
    assert_null(inputs.environment[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_can_see_holds_names_only),
    };
    return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
