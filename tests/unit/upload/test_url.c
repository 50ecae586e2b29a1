#include "upload/url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void good_addresses_are_taken_and_shown_without_their_query(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *where;
        bool https;
    } cases[] = {
        {"https://b.s3.eu-north-1.amazonaws.com/k.csv?X-Amz-Signature=canary",
         "https://b.s3.eu-north-1.amazonaws.com/k.csv", true},
        {"http://127.0.0.1:8000/b/k", "http://127.0.0.1:8000/b/k", false},
        {"HTTPS://host", "HTTPS://host", true},
        {"https://host?canary", "https://host", true},
        {"https://host/k%3FX-Amz-Signature=canary", "https://host/k", true},
        {"https://host/k&X-Amz-Signature=canary", "https://host/k", true},
        {"https://[::1]:9000/b", "https://[::1]:9000/b", true},
        {"https://[::1]/b", "https://[::1]/b", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct url_facts facts;
        const char *why;
        assert_int_equal(url_parse(cases[i].url, &facts, &why), 0);
        assert_null(why);
        assert_string_equal(facts.where, cases[i].where);
        assert_int_equal(facts.https, cases[i].https);
    }
}

static void bad_addresses_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *why;
    } cases[] = {
        {"", "start with http"},
        {"ftp://host/x", "start with http"},
        {"file:///etc/passwd", "start with http"},
        {"https:/host", "start with http"},
        {"https://", "no host"},
        {"https:///path", "no host"},
        {"https://:80/path", "no host"},
        {"https://user:secret@host/x", "user name"},
        {"https://host:0/x", "port"},
        {"https://host:/x", "port"},
        {"https://host:65536/x", "port"},
        {"https://host:8a/x", "port"},
        {"https://[::1]:x/", "port"},
        {"https://host/a b", "percent-encoded"},
        {"https://host/a\nb", "percent-encoded"},
        {"https://host/\xc3\xa4", "percent-encoded"},
        {"https://host/<x>", "percent-encoded"},
        {"https://host/x#part", "fragment"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct url_facts facts;
        const char *why;
        assert_int_equal(url_parse(cases[i].url, &facts, &why), -EINVAL);
        assert_non_null(strstr(why, cases[i].why));
    }
}

static void an_address_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    static char url[URL_MAX + 1];
    memset(url, 'a', URL_MAX);
    memcpy(url, "https://h/", 10);
    struct url_facts facts;
    const char *why;
    assert_int_equal(url_parse(url, &facts, &why), -EINVAL);
    assert_non_null(strstr(why, "longer"));
    url[URL_MAX - 1] = '\0';
    assert_int_equal(url_parse(url, &facts, &why), 0);
}

static void a_long_path_is_shortened_and_still_hides_the_query(void **state)
{
    (void)state;
    for (size_t len = URL_WHERE_MAX - 3; len < URL_WHERE_MAX + 3; len++) {
        char url[URL_WHERE_MAX + 32];
        memset(url, 'p', sizeof url);
        memcpy(url, "https://h/", 10);
        strcpy(url + len, "?canary");
        struct url_facts facts;
        const char *why;
        assert_int_equal(url_parse(url, &facts, &why), 0);
        assert_null(strstr(facts.where, "canary"));
        bool shortened = len >= URL_WHERE_MAX;
        assert_int_equal(strlen(facts.where), shortened ? URL_WHERE_MAX - 1 : len);
        assert_int_equal(strcmp(facts.where + strlen(facts.where) - 3, "...") == 0, shortened);
    }
}

static void the_expiry_is_read_from_the_signature(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        enum url_signature signature;
        bool expires;
        int64_t expiry_s;
    } cases[] = {
        {"", URL_UNSIGNED, false, 0},
        {"X-Amz-Date=20261122T154500Z&X-Amz-Expires=60", URL_UNSIGNED, false, 0},
        /* 2026-11-22 15:45:00 UTC = 1795362300, by date(1) */
        {"X-Amz-Date=20261122T154500Z&X-Amz-Expires=604800&X-Amz-Signature=ab", URL_SIGV4, true,
         1795362300 + 604800},
        {"X-Amz-Signature=ab&X-Amz-Expires=1&X-Amz-Date=19700101T000000Z", URL_SIGV4, true, 1},
        {"X-Amz-Date=20261122T154500Z&X-Amz-Expires=604801&X-Amz-Signature=ab", URL_SIGV4, false,
         0},
        {"X-Amz-Date=20261122T154500Z&X-Amz-Expires=-1&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"X-Amz-Date=20261122T154500Z&X-Amz-Expires=&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"X-Amz-Date=20261122T154500Z&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"X-Amz-Expires=60&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"X-Amz-Date=20261322T154500Z&X-Amz-Expires=60&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"X-Amz-Date=20261122X154500Z&X-Amz-Expires=60&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"X-Amz-Date=2026112%T154500Z&X-Amz-Expires=60&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"X-Amz-Date=20261122T15450Z&X-Amz-Expires=60&X-Amz-Signature=ab", URL_SIGV4, false, 0},
        {"AWSAccessKeyId=k&Signature=x&Expires=1795362300", URL_SIGV2, true, 1795362300},
        {"Signature=x&Expires=999999999999999999999999", URL_SIGV2, false, 0},
        {"Signature=x", URL_SIGV2, false, 0},
        {"XX-Amz-Signature=ab&&=&", URL_UNSIGNED, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char url[256] = "https://host/key?";
        strcat(url, cases[i].query);
        struct url_facts facts;
        const char *why;
        assert_int_equal(url_parse(url, &facts, &why), 0);
        assert_int_equal(facts.signature, cases[i].signature);
        assert_int_equal(facts.expires, cases[i].expires);
        if (cases[i].expires) {
            assert_int_equal(facts.expiry_s, cases[i].expiry_s);
        }
    }
}

static void plain_http_passes_only_where_it_is_allowed(void **state)
{
    (void)state;
    struct url_facts facts;
    const char *why = NULL;
    assert_int_equal(url_check("https://h/x", false, &facts, &why), 0);
    assert_int_equal(url_check("http://h/x", true, &facts, &why), 0);
    assert_int_equal(url_check("http://h/x", false, &facts, &why), -EINVAL);
    assert_non_null(strstr(why, "allow_http"));
    assert_int_equal(url_check("gopher://h/x", true, &facts, &why), -EINVAL);
    assert_non_null(strstr(why, "http://"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_addresses_are_taken_and_shown_without_their_query),
        cmocka_unit_test(bad_addresses_are_refused_with_the_reason),
        cmocka_unit_test(an_address_beyond_the_limit_is_refused),
        cmocka_unit_test(a_long_path_is_shortened_and_still_hides_the_query),
        cmocka_unit_test(the_expiry_is_read_from_the_signature),
        cmocka_unit_test(plain_http_passes_only_where_it_is_allowed),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
