#include "upload/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_kind_of_failure_reads_as_a_sentence(void **state)
{
    (void)state;
    static const struct put_answer refused = {
        .transport = TRANSPORT_ANSWERED, .http_status = 403, .code = "AccessDenied"};
    static const struct put_answer portal = {.transport = TRANSPORT_ANSWERED, .http_status = 200};
    static const struct put_answer offline = {.transport = TRANSPORT_NO_NAME,
                                              .detail = "Could not resolve host: h"};
    static const struct put_answer clock = {.transport = TRANSPORT_CERT_TIME,
                                            .verify_time_s = 3600,
                                            .detail = "certificate is not yet valid"};
    static const struct {
        struct reason_context context;
        const char *text;
    } cases[] = {
        {{"", OUTCOME_CREDENTIAL, &refused, 1795362300},
         "HTTP 403 AccessDenied: the URL or key is refused: a new one is needed "
         "(it was valid until 2026-11-22 15:45 UTC)"},
        {{"", OUTCOME_CREDENTIAL, &refused, 0},
         "HTTP 403 AccessDenied: the URL or key is refused: a new one is needed"},
        {{"", OUTCOME_CLOCK, &refused, 1795362300},
         "HTTP 403 AccessDenied: a clock is wrong, here or where the URL was signed"},
        {{"url_source: ", OUTCOME_PORTAL, &portal, 0},
         "url_source: HTTP 200: the answer is not S3's: a network login page or proxy?"},
        {{"", OUTCOME_OFFLINE, &offline, 1795362300},
         "the server can not be reached (Could not resolve host: h)"},
        {{"", OUTCOME_CLOCK, &clock, 0},
         "the server's certificate is not valid on 1970-01-01 01:00 UTC (certificate is not yet "
         "valid): nothing was sent"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[192];
        reason_format(text, sizeof text, &cases[i].context);
        assert_string_equal(text, cases[i].text);
    }
}

static void the_longest_reason_stays_in_its_room(void **state)
{
    (void)state;
    struct put_answer answer = {.transport = TRANSPORT_CERT_TIME, .verify_time_s = INT64_MAX / 2};
    memset(answer.detail, 'd', sizeof answer.detail - 1);
    memset(answer.code, 'c', sizeof answer.code - 1);
    for (int transport = 0; transport < TRANSPORT_COUNT; transport++) {
        char text[64 + 1];
        text[64] = '#';
        answer.transport = (enum transport)transport;
        struct reason_context context = {"prefix: ", OUTCOME_CREDENTIAL, &answer, INT64_MAX / 2};
        reason_format(text, 64, &context);
        assert_int_equal(strlen(text), 63);
        assert_int_equal(text[64], '#');
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_failure_reads_as_a_sentence),
        cmocka_unit_test(the_longest_reason_stays_in_its_room),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
