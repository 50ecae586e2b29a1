#include "upload/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static enum outcome classify_http(int status, const char *code)
{
    struct outcome_answer answer = {
        .transport = TRANSPORT_ANSWERED, .http_status = status, .code = code};
    return outcome_classify(&answer);
}

/* The retry table, written down a second time from the requirements, not from the code. */
static void every_answer_falls_into_its_class(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *code;
        enum outcome outcome;
    } cases[] = {
        {200, "", OUTCOME_PORTAL}, // not confirmed
        {204, "", OUTCOME_PORTAL},
        {299, "", OUTCOME_PORTAL},
        {301, "PermanentRedirect", OUTCOME_CONFIG},
        {302, "", OUTCOME_PORTAL},
        {303, "", OUTCOME_PORTAL},
        {307, "", OUTCOME_PORTAL},
        {307, "TemporaryRedirect", OUTCOME_TRANSIENT},
        {400, "", OUTCOME_PERMANENT},
        {400, "RequestTimeout", OUTCOME_TRANSIENT},
        {400, "BadDigest", OUTCOME_DATA},
        {400, "IncompleteBody", OUTCOME_DATA},
        {400, "ExpiredToken", OUTCOME_CREDENTIAL},
        {400, "InvalidToken", OUTCOME_CREDENTIAL},
        {400, "AuthorizationQueryParametersError", OUTCOME_CREDENTIAL},
        {400, "AuthorizationHeaderMalformed", OUTCOME_CONFIG},
        {400, "InvalidArgument", OUTCOME_PERMANENT},
        {401, "", OUTCOME_CREDENTIAL},
        {403, "", OUTCOME_CREDENTIAL},
        {403, "AccessDenied", OUTCOME_CREDENTIAL},
        {403, "SignatureDoesNotMatch", OUTCOME_CREDENTIAL},
        {403, "InvalidAccessKeyId", OUTCOME_CREDENTIAL},
        {403, "RequestTimeTooSkewed", OUTCOME_CLOCK},
        {404, "NoSuchBucket", OUTCOME_CREDENTIAL},
        {405, "MethodNotAllowed", OUTCOME_PERMANENT},
        {407, "", OUTCOME_CONFIG},
        {408, "", OUTCOME_TRANSIENT},
        {409, "OperationAborted", OUTCOME_TRANSIENT},
        {411, "MissingContentLength", OUTCOME_PERMANENT},
        {412, "PreconditionFailed", OUTCOME_ALREADY},
        {413, "EntityTooLarge", OUTCOME_PERMANENT},
        {429, "", OUTCOME_THROTTLE},
        {499, "", OUTCOME_PERMANENT},
        {500, "InternalError", OUTCOME_TRANSIENT},
        {501, "NotImplemented", OUTCOME_PERMANENT},
        {502, "", OUTCOME_TRANSIENT},
        {503, "SlowDown", OUTCOME_THROTTLE},
        {503, "ServiceUnavailable", OUTCOME_THROTTLE},
        {504, "", OUTCOME_TRANSIENT},
        {511, "", OUTCOME_PORTAL},
        {522, "", OUTCOME_TRANSIENT},
        {524, "", OUTCOME_TRANSIENT},
        {599, "", OUTCOME_TRANSIENT},
        {0, "", OUTCOME_UNKNOWN_OUTCOME},
        {100, "", OUTCOME_UNKNOWN_OUTCOME},
        {199, "", OUTCOME_UNKNOWN_OUTCOME},
        {600, "", OUTCOME_UNKNOWN_OUTCOME},
        {1000, "", OUTCOME_UNKNOWN_OUTCOME},
        {-1, "", OUTCOME_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(classify_http(cases[i].status, cases[i].code), cases[i].outcome);
    }
}

static void no_status_or_code_alone_is_an_acknowledgement(void **state)
{
    (void)state;
    static const char *const codes[] = {"", "AccessDenied", "BadDigest", "OK"};
    for (int status = -1; status < 1001; status++) {
        for (size_t i = 0; i < COUNT(codes); i++) {
            assert_int_not_equal(classify_http(status, codes[i]), OUTCOME_ACK);
        }
    }
    struct outcome_answer confirmed = {
        .transport = TRANSPORT_ANSWERED, .http_status = 200, .confirmed = true, .code = ""};
    assert_int_equal(outcome_classify(&confirmed), OUTCOME_ACK);
}

static void a_transfer_without_an_answer_is_never_an_acknowledgement(void **state)
{
    (void)state;
    static const enum outcome expected[TRANSPORT_COUNT] = {
        [TRANSPORT_BAD_ADDRESS] = OUTCOME_CONFIG, [TRANSPORT_NO_NAME] = OUTCOME_OFFLINE,
        [TRANSPORT_NO_CONNECT] = OUTCOME_OFFLINE, [TRANSPORT_NO_TLS] = OUTCOME_OFFLINE,
        [TRANSPORT_CERT_TIME] = OUTCOME_CLOCK,    [TRANSPORT_CERT_TRUST] = OUTCOME_TRUST,
        [TRANSPORT_CERT_SETUP] = OUTCOME_CONFIG,  [TRANSPORT_BROKEN] = OUTCOME_UNKNOWN_OUTCOME,
        [TRANSPORT_FLOOD] = OUTCOME_PORTAL,       [TRANSPORT_FILE] = OUTCOME_DATA,
        [TRANSPORT_MEMORY] = OUTCOME_LOCAL,       [TRANSPORT_ABORTED] = OUTCOME_SHUTDOWN,
    };
    for (int transport = TRANSPORT_ANSWERED + 1; transport < TRANSPORT_COUNT; transport++) {
        // Even if the rest looks like a success: it was cut.
        struct outcome_answer answer = {.transport = (enum transport)transport,
                                        .http_status = 200,
                                        .confirmed = true,
                                        .code = ""};
        assert_int_equal(outcome_classify(&answer), expected[transport]);
    }
}

static void every_outcome_says_what_it_is_and_what_follows(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        const struct outcome_action *action = outcome_action((enum outcome)i);
        assert_non_null(action->name);
        assert_true(strlen(action->name) > 2);
        assert_true(strlen(action->words) > 10 && strlen(action->words) < 64);
        bool final = i == OUTCOME_ACK || i == OUTCOME_SHUTDOWN;
        assert_int_equal(action->wait == WAIT_NONE, final);
    }
    assert_int_equal(outcome_action(OUTCOME_PERMANENT)->scope, SCOPE_SEGMENT);
    assert_int_equal(outcome_action(OUTCOME_DATA)->scope, SCOPE_SUSPECT);
    assert_int_equal(outcome_action(OUTCOME_CREDENTIAL)->scope, SCOPE_ALL);
    assert_int_equal(outcome_action(OUTCOME_CREDENTIAL)->wait, WAIT_CREDENTIAL);
    assert_int_equal(outcome_action(OUTCOME_TRUST)->wait, WAIT_SLOW);
    assert_int_equal(outcome_action(OUTCOME_THROTTLE)->wait, WAIT_THROTTLE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_falls_into_its_class),
        cmocka_unit_test(no_status_or_code_alone_is_an_acknowledgement),
        cmocka_unit_test(a_transfer_without_an_answer_is_never_an_acknowledgement),
        cmocka_unit_test(every_outcome_says_what_it_is_and_what_follows),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
