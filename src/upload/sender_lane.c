#include "sender_lane.h"

#include "upload/reason.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

uint32_t sender_lane_random(void)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits) {
        // Too early after boot; spread anyway.
        bits = (uint32_t)mono_now().ns * UINT32_C(2654435761);
    }
    return bits;
}

void sender_lane_end_wait(struct sender_lane *lane)
{
    lane_reset(&lane->policy);
    lane->state.not_before = (mono_time){0};
}

void sender_lane_take_url(struct sender_lane *lane, const char *url)
{
    if (strcmp(lane->url, url) == 0) {
        return;
    }
    const char *why;
    explicit_bzero(lane->url, sizeof lane->url);
    snprintf(lane->url, sizeof lane->url, "%s", url);
    sender_lane_end_wait(lane);
    lane->facts = (struct url_facts){.https = false};
    if (url[0] != '\0' && url_parse(url, &lane->facts, &why) != 0) {
        lane->url[0] = '\0'; // never: it was checked before
    }
    lane->url_acks = 0;
    lane->md5_refused = false;
    lane->etag_told = false;
    lane->refused = false;
    lane->state.expires = lane->facts.expires;
    lane->state.expiry_s = lane->facts.expiry_s;
    memcpy(lane->state.where, lane->facts.where, sizeof lane->state.where);
}

// One log line's worth; of a URL, once.
static const char *remark_on_ack(struct sender_lane *lane, enum delivery_object object,
                                 const struct attempt *attempt)
{
    if (attempt->file_differs) {
        return "stored as the disk gives it back, which is not what was written: a disk that "
               "fails?";
    }
    const char *etag = attempt->answer.etag_md5;
    if (!lane->etag_told && attempt->digest_known && etag[0] != '\0' &&
        strcmp(etag, attempt->digest.hex) != 0) {
        lane->etag_told = true;
        return "stored; its ETag is not the MD5 of what was sent (an encrypted bucket?)";
    }
    if (object == OBJECT_TIME_LOG && lane->url[0] != '\0' && lane->url_acks == 2) {
        return "stored over the previous object of this URL: the bucket must be versioned";
    }
    return "";
}

static void describe(struct sender_lane *lane, const struct delivery_request *request,
                     const struct attempt *attempt, struct delivery_result *result)
{
    struct sender_lane_state *state = &lane->state;
    if (attempt->outcome == OUTCOME_ACK) {
        lane->url_acks++;
        state->acks++;
        state->bytes_acked += request->size;
        state->acknowledged = true;
        state->ack_time = mono_now();
        snprintf(result->reason, sizeof result->reason, "%s",
                 remark_on_ack(lane, request->object, attempt));
    } else {
        struct reason_context reason = {.prefix = "",
                                        .outcome = attempt->outcome,
                                        .answer = &attempt->answer,
                                        .url_expiry_s =
                                            lane->facts.expires ? lane->facts.expiry_s : 0};
        reason_format(result->reason, sizeof result->reason, &reason);
    }
    lane->md5_refused |= attempt->md5_refused;
    lane->refused = attempt->outcome == OUTCOME_CREDENTIAL;
    state->attempted = true;
    state->outcome = attempt->outcome;
    state->http_status = attempt->answer.http_status;
    memcpy(state->reason, result->reason, sizeof state->reason);
}

static void settle(struct sender_lane *lane, const struct delivery_request *request,
                   const struct attempt *attempt, struct delivery_result *result)
{
    struct lane_event event = {.outcome = attempt->outcome,
                               .name = request->name,
                               .retry_after_s = attempt->answer.retry_after_s,
                               .now = mono_now(),
                               .random = sender_lane_random()};
    result->verdict = lane_settle(&lane->policy, &event, &result->retry_in_ms);
    lane->state.not_before = lane->policy.not_before;
}

void sender_lane_note(struct sender_lane *lane, const struct delivery_request *request,
                      const struct attempt *attempt, struct delivery_result *result)
{
    describe(lane, request, attempt, result);
    settle(lane, request, attempt, result);
}
