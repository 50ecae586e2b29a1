#include "upload/s3_key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_key_is_endpoint_bucket_prefix_and_name(void **state)
{
    (void)state;
    static const struct {
        struct s3_place place;
        const char *name;
        const char *url;
    } cases[] = {
        {{"https://s3.eu-north-1.amazonaws.com", "b", ""},
         "ntp_status.txt",
         "https://s3.eu-north-1.amazonaws.com/b/ntp_status.txt"},
        {{"http://127.0.0.1:8000/", "b", "site/camera-7/"},
         "x.csv",
         "http://127.0.0.1:8000/b/site/camera-7/x.csv"},
        {{"https://[::1]:9000//", "b", ""}, "", "https://[::1]:9000/b/"},
        {{"https://h", "b", "Büro 1+1?/"}, "a&b", "https://h/b/B%C3%BCro%201%2B1%3F/a%26b"},
        {{"https://h", "b", "-._~"}, "", "https://h/b/-._~"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char url[128];
        assert_int_equal(s3_key_url(url, sizeof url, &cases[i].place, cases[i].name), 0);
        assert_string_equal(url, cases[i].url);
    }
}

static void an_endpoint_is_a_server_and_no_more(void **state)
{
    (void)state;
    static const char *const endpoints[] = {
        "h", "", "https://h/path", "https://h?x", "https://h#x", "https://h/?x"};
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        char url[128];
        struct s3_place place = {endpoints[i], "b", ""};
        assert_int_equal(s3_key_url(url, sizeof url, &place, "n"), -EINVAL);
    }
}

static void what_does_not_fit_is_refused_and_nothing_is_overwritten(void **state)
{
    (void)state;
    struct s3_place place = {"https://h", "b", "%"};
    static const char whole[] = "https://h/b/%25n";
    for (size_t room = 0; room <= sizeof whole; room++) {
        char url[64];
        memset(url, '#', sizeof url);
        int result = s3_key_url(url, room, &place, "n");
        assert_int_equal(result, room < sizeof whole ? -ENAMETOOLONG : 0);
        assert_int_equal(url[room < sizeof whole ? room : sizeof whole], '#');
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_endpoint_bucket_prefix_and_name),
        cmocka_unit_test(an_endpoint_is_a_server_and_no_more),
        cmocka_unit_test(what_does_not_fit_is_refused_and_nothing_is_overwritten),
    };
    return cmocka_run_group_tests_name("s3_key", tests, NULL, NULL);
}
