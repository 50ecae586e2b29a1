#include "upload/supply.h"

#include "base/json.h"
#include "upload/reason.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An answer holds three URLs and little else. */
#define ANSWER_MAX ((size_t)32 * 1024)

static const char *const members[OBJECT_COUNT] = {
    [OBJECT_TIME_LOG] = "time_log",
    [OBJECT_NTP_STATUS] = "ntp_status",
    [OBJECT_NTP_FAILED_STATUS] = "ntp_failed_status",
};

// ---- reading an answer -------------------------------------------------------------------------

static void note_expiry(struct supply_answer *answer, int64_t expiry_s, int64_t life_s)
{
    if (answer->expiry_s == 0 || expiry_s < answer->expiry_s) {
        answer->expiry_s = expiry_s;
        answer->life_s = life_s;
    }
}

static int take_url(const struct json *json, enum delivery_object object, bool allow_http,
                    struct supply_answer *answer, const char **why)
{
    struct json_member member;
    struct url_facts facts;
    if (!json_find(json, members[object], &member) || member.type == JSON_NULL) {
        return 0;
    }
    if (member.type != JSON_STRING) {
        *why = "a URL in it is not a string";
        return -EINVAL;
    }
    if (member.string[0] == '\0') {
        return 0;
    }
    int result = url_check(member.string, allow_http, &facts, why);
    if (result != 0) {
        return result;
    }
    if (facts.expires) {
        note_expiry(answer, facts.expiry_s,
                    facts.signature == URL_SIGV4 ? facts.expiry_s - facts.signed_s : 0);
    }
    memcpy(answer->urls[object], member.string, strlen(member.string) + 1);
    return 0;
}

static int take_expires(const struct json *json, struct supply_answer *answer, const char **why)
{
    struct json_member member;
    struct tm tm = {0};
    if (!json_find(json, "expires", &member) || member.type == JSON_NULL) {
        return 0;
    }
    const char *end =
        member.type == JSON_STRING ? strptime(member.string, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
    if (end == NULL || *end != '\0') {
        *why = "\"expires\" is not of the form \"2026-11-22T15:45:00Z\"";
        return -EINVAL;
    }
    note_expiry(answer, (int64_t)timegm(&tm), 0);
    return 0;
}

static int take_members(const struct json *json, bool allow_http, struct supply_answer *answer,
                        const char **why)
{
    struct json_member version;
    if (!json_find(json, "version", &version) || version.type != JSON_NUMBER ||
        version.number != 1.0) {
        *why = "its \"version\" is not 1";
        return -EINVAL;
    }
    int result = take_expires(json, answer, why);
    for (int object = 0; object < OBJECT_COUNT && result == 0; object++) {
        result = take_url(json, (enum delivery_object)object, allow_http, answer, why);
    }
    return result;
}

int supply_parse(const char *text, bool allow_http, struct supply_answer *answer, const char **why)
{
    struct json *json;
    struct json_position position;
    *answer = (struct supply_answer){.expiry_s = 0};
    *why = "it is not a JSON object";
    int result = json_parse(&json, text, &position);
    if (result == -ENOMEM) {
        return result;
    }
    if (result != 0) {
        return -EINVAL;
    }
    result = take_members(json, allow_http, answer, why);
    json_free(json);
    return result;
}

// ---- asking ------------------------------------------------------------------------------------

void supply_reset(struct supply *supply)
{
    if (supply->answer != NULL) {
        explicit_bzero(supply->answer, sizeof *supply->answer);
        free(supply->answer);
    }
    *supply = (struct supply){.answer = NULL};
}

bool supply_is_due(const struct supply *supply, bool refused, mono_time now)
{
    bool stale = supply->stale_known && mono_diff_ns(supply->stale, now) <= 0;
    bool wanted = supply->answer == NULL || stale || refused;
    return wanted && mono_diff_ns(supply->not_before, now) <= 0;
}

// NOW_S is the time on the answer's Date if it had one.
static void reckon_life(struct supply *supply, int64_t now_s, mono_time now)
{
    const struct supply_answer *answer = supply->answer;
    supply->stale_known = answer->expiry_s != 0;
    if (supply->stale_known) {
        int64_t left_s = answer->expiry_s - now_s;
        int64_t life_s = answer->life_s != 0 ? answer->life_s : left_s;
        // A clock decades off must not overflow the sum; a week is the most that SigV4 knows.
        int64_t fresh_s = left_s - life_s / 10;
        fresh_s = fresh_s < 0 ? 0 : fresh_s;
        fresh_s = fresh_s > INT64_C(366) * 86400 ? INT64_C(366) * 86400 : fresh_s;
        supply->stale = mono_add(now, fresh_s * NS_PER_S);
    }
}

static bool accept_document(struct supply *supply, const struct supply_question *question,
                            const char *document, int64_t date_s)
{
    const char *why = "";
    struct supply_answer *fresh = calloc(1, sizeof *fresh);
    int result = fresh != NULL ? supply_parse(document, question->options->allow_http, fresh, &why)
                               : -ENOMEM;
    if (result != 0) {
        supply->outcome = result == -ENOMEM ? OUTCOME_LOCAL : OUTCOME_PORTAL;
        snprintf(supply->reason, sizeof supply->reason, "url_source: the answer is of no use: %s",
                 result == -ENOMEM ? "not enough memory to read it" : why);
        free(fresh);
        return false;
    }
    bool same = supply->answer != NULL && memcmp(supply->answer, fresh, sizeof *fresh) == 0;
    struct backoff backoff = supply->backoff;
    supply_reset(supply);
    supply->answer = fresh;
    supply->outcome = OUTCOME_ACK;
    if (same) {
        supply->backoff = backoff;
    }
    reckon_life(supply, date_s != 0 ? date_s : wall_now().ns / NS_PER_S, mono_now());
    return true;
}

static void note_failure(struct supply *supply, const struct put_answer *answer)
{
    struct outcome_answer seen = {.transport = answer->transport,
                                  .http_status = answer->http_status,
                                  .confirmed = false,
                                  .code = answer->code};
    supply->outcome = outcome_classify(&seen);
    struct reason_context context = {
        .prefix = "url_source: ", .outcome = supply->outcome, .answer = answer};
    reason_format(supply->reason, sizeof supply->reason, &context);
}

bool supply_ask(struct supply *supply, struct put *put, const struct supply_question *question)
{
    struct put_answer answer;
    char *document = malloc(ANSWER_MAX);
    if (document == NULL) {
        return false;
    }
    struct put_fetch fetch = {.options = question->options,
                              .url = question->address,
                              .abort = question->abort,
                              .document = document,
                              .size = ANSWER_MAX};
    put_fetch(put, &fetch, &answer);
    bool accepted = false;
    if (answer.confirmed) {
        accepted = accept_document(supply, question, document, answer.date_s);
    } else {
        note_failure(supply, &answer);
    }
    explicit_bzero(document, ANSWER_MAX);
    free(document);
    // What it hands out again and again, in vain, is asked for ever more rarely.
    enum outcome_wait wait = accepted ? WAIT_BACKOFF : outcome_action(supply->outcome)->wait;
    uint32_t wait_ms =
        backoff_next_ms(&supply->backoff, wait, answer.retry_after_s, question->random);
    int64_t wait_ns = (int64_t)wait_ms * NS_PER_MS;
    if (accepted && wait_ns < SUPPLY_REST_NS) {
        wait_ns = SUPPLY_REST_NS;
    }
    supply->not_before = mono_add(mono_now(), wait_ns);
    return accepted;
}
