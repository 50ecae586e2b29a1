#include "upload/outcome.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// What a transfer without an answer means. TRANSPORT_ANSWERED goes on to the answer's rules.
static const enum outcome by_transport[TRANSPORT_COUNT] = {
    [TRANSPORT_BAD_ADDRESS] = OUTCOME_CONFIG, [TRANSPORT_NO_NAME] = OUTCOME_OFFLINE,
    [TRANSPORT_NO_CONNECT] = OUTCOME_OFFLINE, [TRANSPORT_NO_TLS] = OUTCOME_OFFLINE,
    [TRANSPORT_CERT_TIME] = OUTCOME_CLOCK,    [TRANSPORT_CERT_TRUST] = OUTCOME_TRUST,
    [TRANSPORT_CERT_SETUP] = OUTCOME_CONFIG,  [TRANSPORT_BROKEN] = OUTCOME_UNKNOWN_OUTCOME,
    [TRANSPORT_FLOOD] = OUTCOME_PORTAL,       [TRANSPORT_FILE] = OUTCOME_DATA,
    [TRANSPORT_MEMORY] = OUTCOME_LOCAL,       [TRANSPORT_ABORTED] = OUTCOME_SHUTDOWN,
};

struct rule {
    int from; /* HTTP status, both ends included */
    int to;
    const char *code; /* NULL: whatever S3's error code */
    enum outcome outcome;
};

// The first rule that fits decides: exact codes before ranges. The last one fits everything.
static const struct rule rules[] = {
    {200, 299, NULL, OUTCOME_PORTAL},                   // confirmed ones never come here
    {301, 301, NULL, OUTCOME_CONFIG},                   // wrong region
    {307, 307, "TemporaryRedirect", OUTCOME_TRANSIENT}, // a new bucket's name is not everywhere yet
    {300, 399, NULL, OUTCOME_PORTAL},
    {400, 400, "RequestTimeout", OUTCOME_TRANSIENT},
    {400, 400, "BadDigest", OUTCOME_DATA},
    {400, 400, "IncompleteBody", OUTCOME_DATA},
    {400, 400, "ExpiredToken", OUTCOME_CREDENTIAL},
    {400, 400, "InvalidToken", OUTCOME_CREDENTIAL},
    {400, 400, "TokenRefreshRequired", OUTCOME_CREDENTIAL},
    {400, 400, "RequestExpired", OUTCOME_CREDENTIAL},
    {400, 400, "AuthorizationQueryParametersError", OUTCOME_CREDENTIAL},
    {400, 400, "AuthorizationHeaderMalformed", OUTCOME_CONFIG}, // region in the credential scope
    {401, 401, NULL, OUTCOME_CREDENTIAL},
    {403, 403, "RequestTimeTooSkewed", OUTCOME_CLOCK},
    {403, 403, NULL, OUTCOME_CREDENTIAL},
    {404, 404, NULL, OUTCOME_CREDENTIAL},
    {407, 407, NULL, OUTCOME_CONFIG}, // the proxy wants a password
    {408, 408, NULL, OUTCOME_TRANSIENT},
    {409, 409, NULL, OUTCOME_TRANSIENT},
    {412, 412, NULL, OUTCOME_ALREADY},
    {429, 429, NULL, OUTCOME_THROTTLE},
    {400, 499, NULL, OUTCOME_PERMANENT},
    {501, 501, NULL, OUTCOME_PERMANENT},
    {503, 503, NULL, OUTCOME_THROTTLE},
    {511, 511, NULL, OUTCOME_PORTAL}, // "network authentication required"
    {500, 599, NULL, OUTCOME_TRANSIENT},
    {0, 999, NULL, OUTCOME_UNKNOWN_OUTCOME},
};

static const struct outcome_action actions[OUTCOME_COUNT] = {
    [OUTCOME_ACK] = {"ack", "stored and confirmed", WAIT_NONE, SCOPE_SEGMENT},
    [OUTCOME_ALREADY] = {"already", "an object of that name exists already", WAIT_SLOW,
                         SCOPE_SEGMENT},
    [OUTCOME_PORTAL] = {"portal", "the answer is not S3's: a network login page or proxy?",
                        WAIT_BACKOFF, SCOPE_ALL},
    [OUTCOME_CONFIG] = {"config", "region, bucket address, proxy or CA file is wrong", WAIT_SLOW,
                        SCOPE_ALL},
    [OUTCOME_TRANSIENT] = {"transient", "the server asks to try again", WAIT_BACKOFF, SCOPE_ALL},
    [OUTCOME_DATA] = {"data", "the bytes did not arrive as they are in the file", WAIT_BACKOFF,
                      SCOPE_SUSPECT},
    [OUTCOME_PERMANENT] = {"permanent", "the server refuses this request", WAIT_SLOW,
                           SCOPE_SEGMENT},
    [OUTCOME_CREDENTIAL] = {"credential", "the URL or key is refused: a new one is needed",
                            WAIT_CREDENTIAL, SCOPE_ALL},
    [OUTCOME_CLOCK] = {"clock", "a clock is wrong, here or where the URL was signed", WAIT_CLOCK,
                       SCOPE_ALL},
    [OUTCOME_THROTTLE] = {"throttle", "the server asks to slow down", WAIT_THROTTLE, SCOPE_ALL},
    [OUTCOME_OFFLINE] = {"offline", "the server can not be reached", WAIT_BACKOFF, SCOPE_ALL},
    [OUTCOME_UNKNOWN_OUTCOME] = {"unknown", "the answer was lost: stored or not is unknown",
                                 WAIT_BACKOFF, SCOPE_ALL},
    [OUTCOME_TRUST] = {"trust", "the server could not prove who it is: nothing was sent", WAIT_SLOW,
                       SCOPE_ALL},
    [OUTCOME_LOCAL] = {"local", "not enough memory", WAIT_MINUTE, SCOPE_ALL},
    [OUTCOME_SHUTDOWN] = {"shutdown", "stopped before the end", WAIT_NONE, SCOPE_ALL},
};

static bool rule_fits(const struct rule *rule, const struct outcome_answer *answer)
{
    return answer->http_status >= rule->from && answer->http_status <= rule->to &&
           (rule->code == NULL || strcmp(rule->code, answer->code) == 0);
}

enum outcome outcome_classify(const struct outcome_answer *answer)
{
    if (answer->transport != TRANSPORT_ANSWERED) {
        return by_transport[answer->transport];
    }
    if (answer->confirmed) {
        return OUTCOME_ACK;
    }
    size_t i = 0;
    while (i < COUNT(rules) - 1 && !rule_fits(&rules[i], answer)) {
        i++;
    }
    return rules[i].outcome;
}

const struct outcome_action *outcome_action(enum outcome outcome)
{
    return &actions[outcome];
}
