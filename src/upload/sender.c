/*
 * DESIGN: two threads meet here. The uploader's runs transfers; main configures and reads the
 * state. One mutex guards everything they share and is held for copies only, never during a
 * transfer: put() copies its target under it, sends without it, and notes the result under it
 * again. (core/latest.h has one publisher; here both sides change the state.) `generation` tells
 * put() whether the settings changed meanwhile: a verdict on an old URL must not delay a new one.
 */
#include "upload/sender.h"

#include "sender_lane.h"
#include "sender_settings.h"
#include "upload/attempt.h"
#include "upload/put.h"
#include "upload/supply.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sender {
    struct delivery delivery; /* first: put() recovers the sender from it */
    pthread_mutex_t mutex;    /* guards what follows, down to the uploader thread's own */
    uint32_t generation;      /* of the settings */
    struct sender_settings settings;
    struct sender_lane lanes[OBJECT_COUNT];
    struct sender_source_state source;
    bool server_time_known;
    int64_t server_ahead_s;
    // The uploader thread's own: what the attempt at hand works with.
    struct put *put;
    struct supply supply;
    uint32_t supply_generation; /* of the settings that the supply belongs to */
    uint32_t used_generation;
    struct sender_settings used; /* a copy, not on the stack, which may be small */
    char url[URL_MAX];
    bool send_md5;
};

// ---- settings ----------------------------------------------------------------------------------

// Direct mode: what all keys begin with.
static void show_bucket(const struct sender_settings *settings, struct sender_lane *lane)
{
    char url[URL_MAX];
    struct url_facts facts;
    const char *why;
    if (sender_settings_url(settings, "", url, sizeof url) == 0 &&
        url_parse(url, &facts, &why) == 0) {
        memcpy(lane->state.where, facts.where, sizeof lane->state.where);
    }
}

static void configure_lane(struct sender *sender, struct sender_lane *lane, const char *url)
{
    const struct sender_settings *settings = &sender->settings;
    bool direct = sender_settings_direct(settings);
    sender_lane_take_url(lane, direct ? "" : url);
    sender_lane_end_wait(lane);
    lane->state.wanted = direct || settings->url_source[0] != '\0' || lane->url[0] != '\0';
    if (direct) {
        show_bucket(settings, lane);
    }
}

static void take_config(struct sender *sender, const struct sender_config *config)
{
    struct url_facts facts = {.where = ""};
    const char *why;
    sender_settings_take(&sender->settings, config);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        configure_lane(sender, &sender->lanes[i], config->urls[i] != NULL ? config->urls[i] : "");
    }
    sender->source = (struct sender_source_state){.wanted = false};
    if (sender->settings.url_source[0] != '\0' && !sender_settings_direct(&sender->settings)) {
        sender->source.wanted = url_parse(sender->settings.url_source, &facts, &why) == 0;
        memcpy(sender->source.where, facts.where, sizeof facts.where);
    }
    sender->generation++;
}

int sender_configure(struct sender *sender, const struct sender_config *config)
{
    int result = sender_settings_check(config);
    if (result == 0) {
        pthread_mutex_lock(&sender->mutex);
        take_config(sender, config);
        pthread_mutex_unlock(&sender->mutex);
    }
    return result;
}

// ---- url_source --------------------------------------------------------------------------------

static struct put_options options_of(const struct sender_settings *settings)
{
    return (struct put_options){.user_agent = settings->user_agent,
                                .ca_bundle = settings->ca_bundle,
                                .proxy = settings->proxy,
                                .time_floor_s = settings->time_floor_s,
                                .allow_http = settings->allow_http};
}

// The answer's URLs, unless the settings changed while it was asked for. Under the mutex.
static void take_answer(struct sender *sender)
{
    for (int i = 0; i < OBJECT_COUNT; i++) {
        struct sender_lane *lane = &sender->lanes[i];
        sender_lane_take_url(lane, sender->supply.answer->urls[i]);
        lane->state.wanted = lane->url[0] != '\0';
    }
}

static void note_source(struct sender *sender, bool answered)
{
    pthread_mutex_lock(&sender->mutex);
    if (sender->generation == sender->supply_generation) {
        struct sender_source_state *source = &sender->source;
        source->asked = true;
        source->outcome = sender->supply.outcome;
        memcpy(source->reason, sender->supply.reason, sizeof source->reason);
        if (answered) {
            source->answered = true;
            source->answer_time = mono_now();
            take_answer(sender);
        }
    }
    pthread_mutex_unlock(&sender->mutex);
}

// Copies the settings for the attempt; tells whether fresh URLs are wanted for this object.
static bool wants_fresh_urls(struct sender *sender, enum delivery_object object)
{
    pthread_mutex_lock(&sender->mutex);
    const struct sender_lane *lane = &sender->lanes[object];
    sender->used = sender->settings;
    sender->used_generation = sender->generation;
    bool wanted = sender->source.wanted;
    bool refused = lane->refused;
    pthread_mutex_unlock(&sender->mutex);
    if (sender->supply_generation != sender->used_generation) {
        supply_reset(&sender->supply);
        sender->supply_generation = sender->used_generation;
    }
    return wanted && supply_is_due(&sender->supply, refused, mono_now());
}

// True when the URLs are new.
static bool renew_urls(struct sender *sender, const struct delivery_request *request)
{
    if (!wants_fresh_urls(sender, request->object)) {
        return false;
    }
    struct put_options options = options_of(&sender->used);
    struct supply_question question = {.address = sender->used.url_source,
                                       .options = &options,
                                       .abort = request->abort,
                                       .random = sender_lane_random()};
    bool answered = supply_ask(&sender->supply, sender->put, &question);
    note_source(sender, answered);
    return answered;
}

// ---- an attempt --------------------------------------------------------------------------------

// A URL that was refused waits for its lane, or for the next answer of url_source.
static uint32_t wait_of(const struct sender *sender, const struct sender_lane *lane,
                        uint32_t hold_ms)
{
    int64_t source_ns = mono_diff_ns(sender->supply.not_before, mono_now());
    if (!sender->source.wanted || !lane->refused || source_ns >= (int64_t)hold_ms * NS_PER_MS) {
        return hold_ms;
    }
    return source_ns > NS_PER_S ? (uint32_t)(source_ns / NS_PER_MS) + 1 : BACKOFF_FLOOR_MS;
}

// No answer came at all: the server can't be reached, or is silent.
static bool is_silent(enum outcome outcome, int http_status)
{
    return outcome == OUTCOME_OFFLINE || (outcome == OUTCOME_UNKNOWN_OUTCOME && http_status == 0);
}

static void tell_held(const struct sender *sender, const struct sender_lane *lane, uint32_t hold_ms,
                      struct delivery_result *result)
{
    result->verdict = DELIVERY_RETRY;
    result->retry_in_ms = wait_of(sender, lane, hold_ms);
    result->http_status = lane->state.http_status;
    result->offline = is_silent(lane->state.outcome, lane->state.http_status);
    memcpy(result->reason, lane->state.reason, sizeof result->reason);
}

static void tell_no_url(const struct sender *sender, struct delivery_result *result)
{
    int64_t wait_ns = mono_diff_ns(sender->supply.not_before, mono_now());
    result->verdict =
        sender->supply.outcome == OUTCOME_SHUTDOWN ? DELIVERY_ABORTED : DELIVERY_RETRY;
    result->retry_in_ms = wait_ns > NS_PER_S ? (uint32_t)(wait_ns / NS_PER_MS) : BACKOFF_FLOOR_MS;
    result->offline = sender->supply.outcome == OUTCOME_OFFLINE;
    memcpy(result->reason, sender->supply.reason, sizeof result->reason);
}

// The URL of this attempt. False when there is none.
static bool choose_url(struct sender *sender, const struct sender_lane *lane, const char *name)
{
    if (sender_settings_direct(&sender->used)) {
        sender->send_md5 = !lane->md5_refused;
        return sender_settings_url(&sender->used, name, sender->url, sizeof sender->url) == 0;
    }
    sender->send_md5 = lane->facts.signature != URL_SIGV2 && !lane->md5_refused;
    memcpy(sender->url, lane->url, sizeof sender->url);
    return lane->url[0] != '\0';
}

// False when there is nothing to try now; RESULT then says so.
static bool begin_attempt(struct sender *sender, const struct delivery_request *request,
                          struct delivery_result *result)
{
    pthread_mutex_lock(&sender->mutex);
    struct sender_lane *lane = &sender->lanes[request->object];
    uint32_t hold_ms = lane_hold_ms(&lane->policy, mono_now());
    bool go = false;
    sender->used = sender->settings; // they may have changed while url_source was asked
    sender->used_generation = sender->generation;
    if (!lane->state.wanted) {
        result->verdict = DELIVERY_UNWANTED;
    } else if (hold_ms > 0) {
        tell_held(sender, lane, hold_ms, result);
    } else if (!choose_url(sender, lane, request->name)) {
        tell_no_url(sender, result);
    } else {
        lane->state.attempts++;
        go = true;
    }
    pthread_mutex_unlock(&sender->mutex);
    return go;
}

static void run_attempt(struct sender *sender, const struct delivery_request *request,
                        struct attempt *attempt)
{
    struct put_options options = options_of(&sender->used);
    struct put_key key = {.region = sender->used.s3_region,
                          .id = sender->used.s3_key_id,
                          .secret = sender->used.s3_secret};
    struct attempt_target target = {.url = sender->url,
                                    .options = &options,
                                    .key = sender_settings_direct(&sender->used) ? &key : NULL,
                                    .send_md5 = sender->send_md5,
                                    .compress = sender->used.compress &&
                                                request->object == OBJECT_TIME_LOG};
    attempt_run(attempt, sender->put, &target, request);
    explicit_bzero(sender->url, sizeof sender->url);
}

static void end_attempt(struct sender *sender, const struct delivery_request *request,
                        const struct attempt *attempt, struct delivery_result *result)
{
    int64_t wall_s = wall_now().ns / NS_PER_S;
    pthread_mutex_lock(&sender->mutex);
    struct sender_lane *lane = &sender->lanes[request->object];
    bool current = sender->generation == sender->used_generation;
    result->http_status = attempt->answer.http_status;
    result->offline = is_silent(attempt->outcome, attempt->answer.http_status);
    sender_lane_note(lane, request, attempt, result);
    if (!current) {
        sender_lane_end_wait(lane);
        result->retry_in_ms = 0; // the new settings deserve a try of their own, now
    }
    if (result->verdict == DELIVERY_RETRY) {
        result->retry_in_ms = wait_of(sender, lane, result->retry_in_ms);
    }
    if (attempt->answer.date_s != 0) {
        sender->server_time_known = true;
        sender->server_ahead_s = attempt->answer.date_s - wall_s;
    }
    pthread_mutex_unlock(&sender->mutex);
}

static void try_once(struct sender *sender, const struct delivery_request *request,
                     struct delivery_result *result)
{
    *result = (struct delivery_result){.verdict = DELIVERY_RETRY};
    if (begin_attempt(sender, request, result)) {
        struct attempt attempt;
        run_attempt(sender, request, &attempt);
        end_attempt(sender, request, &attempt, result);
    }
}

static void sender_put(struct delivery *delivery, const struct delivery_request *request,
                       struct delivery_result *result)
{
    struct sender *sender = (struct sender *)delivery;
    renew_urls(sender, request);
    try_once(sender, request, result);
    // A URL just refused, and a fresh one to be had: then at once, not after the wait.
    if (result->verdict == DELIVERY_RETRY && renew_urls(sender, request)) {
        try_once(sender, request, result);
    }
}

// ---- lifecycle ---------------------------------------------------------------------------------

int sender_open(struct sender **sender, const struct sender_config *config)
{
    int result = sender_settings_check(config);
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
    supply_reset(&sender->supply);
    pthread_mutex_destroy(&sender->mutex);
    explicit_bzero(sender, sizeof *sender); // URLs and keys
    free(sender);
}

struct delivery *sender_delivery(struct sender *sender)
{
    return &sender->delivery;
}

void sender_raise_time_floor(struct sender *sender, int64_t time_s)
{
    pthread_mutex_lock(&sender->mutex);
    sender_settings_raise_floor(&sender->settings, time_s);
    pthread_mutex_unlock(&sender->mutex);
}

void sender_get_state(struct sender *sender, struct sender_state *state)
{
    pthread_mutex_lock(&sender->mutex);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        state->lanes[i] = sender->lanes[i].state;
    }
    state->source = sender->source;
    state->server_time_known = sender->server_time_known;
    state->server_ahead_s = sender->server_ahead_s;
    pthread_mutex_unlock(&sender->mutex);
}
