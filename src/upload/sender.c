/*
 * DESIGN: two threads meet here. The uploader's runs transfers; main configures and reads the
 * state. One mutex guards everything they share and is held for copies only, never during a
 * transfer: put() copies its target under it, sends without it, and notes the result under it
 * again. (core/latest.h has one publisher; here both sides change the state.) `generation` tells
 * put() whether the settings changed meanwhile: a verdict on an old URL must not delay a new one.
 */
#include "upload/sender.h"

#include "upload/digest.h"
#include "upload/lane.h"
#include "upload/put.h"
#include "upload/reason.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* What all lanes share. */
struct settings {
    char ca_bundle[SENDER_TEXT_MAX];
    char proxy[SENDER_TEXT_MAX];
    char user_agent[SENDER_TEXT_MAX];
    int64_t time_floor_s;
    bool allow_http;
};

struct sender_lane {
    char url[URL_MAX]; /* "": not wanted */
    struct url_facts facts;
    struct lane policy;
    uint64_t url_acks; /* with this URL */
    bool md5_refused;  /* this URL's signature does not go with Content-MD5 */
    bool etag_told;    /* that the ETag is not the MD5 */
    struct sender_lane_state state;
};

/* What one attempt works with: the uploader thread's own copy. */
struct target {
    char url[URL_MAX];
    struct settings settings;
    uint32_t generation;
    bool send_md5;
};

struct sender {
    struct delivery delivery; /* first: put() recovers the sender from it */
    pthread_mutex_t mutex;    /* guards the next five */
    uint32_t generation;      /* of the settings */
    struct settings settings;
    struct sender_lane lanes[OBJECT_COUNT];
    bool server_time_known;
    int64_t server_ahead_s;
    struct put *put;      /* from here on: the uploader thread's own */
    struct target target; /* not on its stack, which may be small */
};

/* What an attempt came to. */
struct attempt {
    struct put_answer answer;
    struct digest digest;
    bool digest_known;
    bool md5_refused; /* it went only without Content-MD5 */
    enum outcome outcome;
};

static uint32_t random_bits(void)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits) {
        bits =
            (uint32_t)mono_now().ns * UINT32_C(2654435761); // too early after boot; spread anyway
    }
    return bits;
}

int sender_check_url(const char *url, bool allow_http, const char **why)
{
    struct url_facts facts;
    if (url[0] == '\0') {
        return 0;
    }
    int result = url_parse(url, &facts, why);
    if (result == 0 && !facts.https && !allow_http) {
        *why = "it is not https, and allow_http is not set";
        result = -EINVAL;
    }
    return result;
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static int check_config(const struct sender_config *config)
{
    const char *why;
    for (int i = 0; i < OBJECT_COUNT; i++) {
        if (sender_check_url(text_or_empty(config->urls[i]), config->allow_http, &why) != 0) {
            return -EINVAL;
        }
    }
    const char *texts[] = {config->ca_bundle, config->proxy, config->user_agent};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strnlen(text_or_empty(texts[i]), SENDER_TEXT_MAX) == SENDER_TEXT_MAX) {
            return -ENAMETOOLONG;
        }
    }
    return 0;
}

static void take_url(struct sender_lane *lane, const char *url)
{
    lane_reset(&lane->policy);
    lane->state.not_before = (mono_time){0};
    if (strcmp(lane->url, url) == 0) {
        return;
    }
    explicit_bzero(lane->url, sizeof lane->url);
    snprintf(lane->url, sizeof lane->url, "%s", url);
    lane->url_acks = 0;
    lane->md5_refused = false;
    lane->etag_told = false;
    const char *why;
    lane->state.wanted = url[0] != '\0' && url_parse(url, &lane->facts, &why) == 0;
    if (!lane->state.wanted) {
        lane->facts = (struct url_facts){.https = false};
    }
    lane->state.expires = lane->facts.expires;
    lane->state.expiry_s = lane->facts.expiry_s;
    memcpy(lane->state.where, lane->facts.where, sizeof lane->state.where);
}

static void raise_floor(struct settings *settings, int64_t time_s)
{
    if (settings->time_floor_s < time_s) {
        settings->time_floor_s = time_s;
    }
}

static void take_config(struct sender *sender, const struct sender_config *config)
{
    struct settings *settings = &sender->settings;
    snprintf(settings->ca_bundle, SENDER_TEXT_MAX, "%s", text_or_empty(config->ca_bundle));
    snprintf(settings->proxy, SENDER_TEXT_MAX, "%s", text_or_empty(config->proxy));
    snprintf(settings->user_agent, SENDER_TEXT_MAX, "%s", text_or_empty(config->user_agent));
    settings->allow_http = config->allow_http;
    raise_floor(settings, config->time_floor_s);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        take_url(&sender->lanes[i], text_or_empty(config->urls[i]));
    }
    sender->generation++;
}

int sender_configure(struct sender *sender, const struct sender_config *config)
{
    int result = check_config(config);
    if (result == 0) {
        pthread_mutex_lock(&sender->mutex);
        take_config(sender, config);
        pthread_mutex_unlock(&sender->mutex);
    }
    return result;
}

// False when there is nothing to try now; RESULT then says so.
static bool begin_attempt(struct sender *sender, const struct delivery_request *request,
                          struct delivery_result *result)
{
    pthread_mutex_lock(&sender->mutex);
    struct sender_lane *lane = &sender->lanes[request->object];
    uint32_t hold_ms = lane_hold_ms(&lane->policy, mono_now());
    bool go = lane->state.wanted && hold_ms == 0;
    if (!lane->state.wanted) {
        result->verdict = DELIVERY_UNWANTED;
    } else if (hold_ms > 0) {
        result->verdict = DELIVERY_RETRY;
        result->retry_in_ms = hold_ms;
        result->http_status = lane->state.http_status;
        result->offline = lane->state.outcome == OUTCOME_OFFLINE;
        memcpy(result->reason, lane->state.reason, sizeof result->reason);
    } else {
        lane->state.attempts++;
        sender->target.settings = sender->settings;
        sender->target.generation = sender->generation;
        sender->target.send_md5 = lane->facts.signature != URL_SIGV2 && !lane->md5_refused;
        memcpy(sender->target.url, lane->url, sizeof lane->url);
    }
    pthread_mutex_unlock(&sender->mutex);
    return go;
}

static int digest_request(struct digest *digest, const struct delivery_request *request)
{
    return request->fd >= 0 ? digest_file(digest, request->fd, request->size)
                            : digest_memory(digest, request->data, (size_t)request->size);
}

static void send_once(struct sender *sender, const struct delivery_request *request,
                      const char *content_md5, struct attempt *attempt)
{
    const struct settings *settings = &sender->target.settings;
    struct put_options options = {.user_agent = settings->user_agent,
                                  .ca_bundle = settings->ca_bundle,
                                  .proxy = settings->proxy,
                                  .time_floor_s = settings->time_floor_s,
                                  .allow_http = settings->allow_http};
    struct put_request put = {.options = &options,
                              .url = sender->target.url,
                              .fd = request->fd,
                              .data = request->data,
                              .size = request->size,
                              .content_md5 = content_md5,
                              .abort = request->abort};
    put_send(sender->put, &put, &attempt->answer);
    struct outcome_answer answer = {.transport = attempt->answer.transport,
                                    .http_status = attempt->answer.http_status,
                                    .confirmed = attempt->answer.confirmed,
                                    .code = attempt->answer.code};
    attempt->outcome = outcome_classify(&answer);
}

// Some signers count Content-MD5 among what they signed, and did not sign ours: then without it.
static void run_attempt(struct sender *sender, const struct delivery_request *request,
                        struct attempt *attempt)
{
    int result = digest_request(&attempt->digest, request);
    attempt->digest_known = result == 0;
    if (result != 0 && result != -ENOTSUP && result != -ENOMEM) {
        attempt->answer = (struct put_answer){.transport = TRANSPORT_FILE,
                                              .retry_after_s = BACKOFF_NO_RETRY_AFTER};
        snprintf(attempt->answer.detail, sizeof attempt->answer.detail, "reading the file: %s",
                 strerrordesc_np(-result));
        attempt->outcome = OUTCOME_DATA;
        return;
    }
    bool with_md5 = attempt->digest_known && sender->target.send_md5;
    send_once(sender, request, with_md5 ? attempt->digest.base64 : NULL, attempt);
    if (with_md5 && strcmp(attempt->answer.code, "SignatureDoesNotMatch") == 0) {
        attempt->md5_refused = true;
        send_once(sender, request, NULL, attempt);
    }
}

// One log line's worth, once per URL.
static const char *remark_on_ack(struct sender_lane *lane, enum delivery_object object,
                                 const struct attempt *attempt)
{
    const char *etag = attempt->answer.etag_md5;
    if (!lane->etag_told && attempt->digest_known && etag[0] != '\0' &&
        strcmp(etag, attempt->digest.hex) != 0) {
        lane->etag_told = true;
        return "stored; its ETag is not the MD5 of what was sent (an encrypted bucket?)";
    }
    if (object == OBJECT_TIME_LOG && lane->url_acks == 2) {
        return "stored over the previous object of this URL: the bucket must be versioned";
    }
    return "";
}

static void note_attempt(struct sender_lane *lane, const struct delivery_request *request,
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
    state->attempted = true;
    state->outcome = attempt->outcome;
    state->http_status = attempt->answer.http_status;
    memcpy(state->reason, result->reason, sizeof state->reason);
}

static void settle(struct sender *sender, const struct delivery_request *request,
                   const struct attempt *attempt, struct delivery_result *result)
{
    struct sender_lane *lane = &sender->lanes[request->object];
    struct lane_event event = {.outcome = attempt->outcome,
                               .name = request->name,
                               .retry_after_s = attempt->answer.retry_after_s,
                               .now = mono_now(),
                               .random = random_bits()};
    result->verdict = lane_settle(&lane->policy, &event, &result->retry_in_ms);
    lane->state.not_before = lane->policy.not_before;
}

static void end_attempt(struct sender *sender, const struct delivery_request *request,
                        const struct attempt *attempt, struct delivery_result *result)
{
    int64_t wall_s = wall_now().ns / NS_PER_S;
    pthread_mutex_lock(&sender->mutex);
    struct sender_lane *lane = &sender->lanes[request->object];
    bool current = sender->generation == sender->target.generation;
    result->http_status = attempt->answer.http_status;
    result->offline = attempt->outcome == OUTCOME_OFFLINE;
    note_attempt(lane, request, attempt, result);
    settle(sender, request, attempt, result);
    if (!current) {
        lane_reset(&lane->policy);
        result->retry_in_ms = 0; // the new settings deserve a try of their own, now
    }
    if (attempt->answer.date_s != 0) {
        sender->server_time_known = true;
        sender->server_ahead_s = attempt->answer.date_s - wall_s;
    }
    pthread_mutex_unlock(&sender->mutex);
}

static void sender_put(struct delivery *delivery, const struct delivery_request *request,
                       struct delivery_result *result)
{
    struct sender *sender = (struct sender *)delivery;
    *result = (struct delivery_result){.verdict = DELIVERY_RETRY};
    if (!begin_attempt(sender, request, result)) {
        return;
    }
    struct attempt attempt = {.md5_refused = false};
    run_attempt(sender, request, &attempt);
    explicit_bzero(sender->target.url, sizeof sender->target.url);
    end_attempt(sender, request, &attempt, result);
}

int sender_open(struct sender **sender, const struct sender_config *config)
{
    int result = check_config(config);
    if (result != 0) {
        return result;
    }
    struct sender *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return -ENOMEM;
    }
    result = put_open(&opened->put);
    if (result == 0) {
        result = -pthread_mutex_init(&opened->mutex, NULL);
    }
    if (result != 0) {
        put_close(opened->put);
        free(opened);
        return result;
    }
    opened->delivery.put = sender_put;
    take_config(opened, config);
    *sender = opened;
    return 0;
}

void sender_close(struct sender *sender)
{
    if (sender == NULL) {
        return;
    }
    put_close(sender->put);
    pthread_mutex_destroy(&sender->mutex);
    explicit_bzero(sender, sizeof *sender); // the URLs
    free(sender);
}

struct delivery *sender_delivery(struct sender *sender)
{
    return &sender->delivery;
}

void sender_raise_time_floor(struct sender *sender, int64_t time_s)
{
    pthread_mutex_lock(&sender->mutex);
    raise_floor(&sender->settings, time_s);
    pthread_mutex_unlock(&sender->mutex);
}

void sender_get_state(struct sender *sender, struct sender_state *state)
{
    pthread_mutex_lock(&sender->mutex);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        state->lanes[i] = sender->lanes[i].state;
    }
    state->server_time_known = sender->server_time_known;
    state->server_ahead_s = sender->server_ahead_s;
    pthread_mutex_unlock(&sender->mutex);
}
