#include "redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_may_be_a_secret_becomes_asterisks(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        {"", ""},
        {"1000", "1000"},
        {"https://h/k.csv", "https://h/k.csv"},
        {"https://h/k.csv?canary", "https://h/k.csv?********"},
        {"ttps:/h/k.csv?canary", "ttps:/h/k.csv?********"},
        {"https://h/k.csv%3Fcanary", "https://h/k.csv********"},
        {"https://h/k.csv%3fcanary", "https://h/k.csv********"},
        {"https://h/k.csv&Signature=canary", "https://h/k.csv********"},
        {"https://h/k.csv#canary?x", "https://h/k.csv********"},
        {"https://user:canary@h/k.csv", "https://********@h/k.csv"},
        {"https://user:canary@h/k?canary", "https://********@h/k********"},
        {"user:canary@h:3128", "********@h:3128"},
        {"http://user:can@ry@h:3128", "http://********@h:3128"},
        {"http://user:can/ry@h:3128", "http://********@h:3128"},
        {"http://user:can?ry@h:3128", "********"},
        {"two\nlines\x80", "two.lines."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[REDACT_MAX];
        redact(out, cases[i].text);
        assert_string_equal(out, cases[i].shown);
    }
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    char text[3 * REDACT_MAX];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    char out[REDACT_MAX];
    redact(out, text);
    assert_int_equal(strlen(out), REDACT_MAX - 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_a_secret_becomes_asterisks),
        cmocka_unit_test(a_long_text_is_cut),
    };
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
