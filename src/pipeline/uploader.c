/*
 * DESIGN
 *
 * The thread owns the delivery (and so the network) and what is due. It is woken by the interval
 * condition variable: by its deadline (the interval, or the end of a backoff), by the writer having
 * sealed a segment, by a new configuration, or by stop.
 *
 * A round begins on the interval: the writer is asked to commit and seal, then the sealed segments
 * go out oldest first, then the status, then the failed status. What was not acknowledged stays due
 * and is tried again after the delay that the delivery names, without another seal. The three kinds
 * of object have addresses of their own, so one that is refused does not hold up the others, unless
 * nothing can be reached at all. A segment is deleted only after DELIVERY_ACKNOWLEDGED.
 *
 * Only the wake's mutex and the statistics' mutex are used here, never both at once, and neither
 * while anything is sent.
 */
#include "pipeline/uploader.h"

#include "base/log.h"
#include "base/wake.h"
#include "base/worker.h"
#include "pipeline/projection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { WAKE_STOP = 1u << 0, WAKE_SEALED = 1u << 1, WAKE_CONFIG = 1u << 2 };

#define SEAL_WAIT_NS     (10 * NS_PER_S) // a hung disk must not keep sealed segments from leaving
#define SEGMENT_PACE_NS  NS_PER_S        // after an outage: one segment a second at most
#define PROJECT_RETRY_MS 60000
#define NEVER_NS         INT64_MAX

struct uploader {
    struct uploader_config config;
    struct wake wake;
    pthread_t thread;
    atomic_bool stopping;

    // New intervals come in here, guarded by stats_mutex, and are taken on WAKE_CONFIG.
    pthread_mutex_t stats_mutex;
    struct uploader_stats stats;
    uint32_t wanted_interval_s;
    double wanted_jitter;

    // The uploader thread's own.
    mono_time grid;               // the interval's grid, without jitter
    mono_time next_round;         // grid plus jitter
    int64_t due_ns[OBJECT_COUNT]; // when each kind may be tried next; NEVER_NS = nothing due
    uint64_t passed;              // segments up to this number had their turn in this pass
    char text[UPLOADER_TEXT_MAX];
};

// ---- what everybody may see -------------------------------------------------------------------

static void note_ack(struct uploader *u, enum delivery_object object, uint64_t size)
{
    pthread_mutex_lock(&u->stats_mutex);
    bool was_refused = u->stats.last_reason[0] != '\0';
    bool first = u->stats.last_ack_mono_ns == 0;
    u->stats.segments_sent += object == OBJECT_TIME_LOG;
    u->stats.bytes_sent += size;
    u->stats.last_ack_mono_ns = mono_now().ns;
    u->stats.last_reason[0] = '\0';
    pthread_mutex_unlock(&u->stats_mutex);
    if (was_refused || first) {
        log_info("upload: %s stored: uploads work", delivery_object_name(object));
    }
}

static void note_refusal(struct uploader *u, enum delivery_object object,
                         const struct delivery_result *result)
{
    pthread_mutex_lock(&u->stats_mutex);
    bool news = strcmp(u->stats.last_reason, result->reason) != 0;
    u->stats.refusals++;
    memcpy(u->stats.last_reason, result->reason, sizeof u->stats.last_reason);
    pthread_mutex_unlock(&u->stats_mutex);
    if (news) {
        log_warning("upload: %s not stored: %s; kept, next try in %" PRIu32 " s",
                    delivery_object_name(object), result->reason, result->retry_in_ms / 1000);
    }
}

static void publish_times(struct uploader *u)
{
    int64_t retry_ns = NEVER_NS;
    for (int i = 0; i < OBJECT_COUNT; i++) {
        retry_ns = u->due_ns[i] < retry_ns ? u->due_ns[i] : retry_ns;
    }
    pthread_mutex_lock(&u->stats_mutex);
    u->stats.next_round_mono_ns = u->next_round.ns;
    u->stats.next_retry_mono_ns = retry_ns;
    pthread_mutex_unlock(&u->stats_mutex);
}

// ---- sending -----------------------------------------------------------------------------------

// After a refusal: when to come back. True when going on with other objects makes sense: a server
// that gave no answer at all would cost each of them a time-out, and the next seal would wait.
static bool postpone(struct uploader *u, enum delivery_object object,
                     const struct delivery_result *result)
{
    u->due_ns[object] = mono_now().ns + (int64_t)result->retry_in_ms * NS_PER_MS;
    note_refusal(u, object, result);
    return !result->offline && result->http_status != 0;
}

static void put_file(struct uploader *u, const struct spool_segment *segment, int fd, uint64_t size,
                     struct delivery_result *result)
{
    struct delivery_request request = {.object = OBJECT_TIME_LOG,
                                       .fd = fd,
                                       .size = size,
                                       .name = segment->name,
                                       .abort = &u->stopping};
    u->config.delivery->put(u->config.delivery, &request, result);
}

// A segment in the form that is asked for. Not being able to make it is a reason to try again.
static struct delivery_result put_segment(struct uploader *u, const struct spool_segment *segment,
                                          int fd)
{
    struct delivery_result result = {.verdict = DELIVERY_RETRY, .retry_in_ms = PROJECT_RETRY_MS};
    if (!u->config.legacy) {
        put_file(u, segment, fd, segment->size, &result);
        return result;
    }
    int legacy_fd = -1;
    uint64_t size = 0;
    int error = projection_legacy(fd, u->config.scratch_dir, &legacy_fd, &size);
    if (error != 0) {
        snprintf(result.reason, sizeof result.reason, "can't make its legacy form: %s",
                 strerror(-error));
        return result;
    }
    put_file(u, segment, legacy_fd, size, &result);
    close(legacy_fd);
    return result;
}

static void remove_segment(struct uploader *u, const struct spool_segment *segment)
{
    int error = spool_remove(u->config.spool, segment);
    if (error != 0) {
        log_warning("upload: segment %s is stored but can't be deleted: %s", segment->name,
                    strerror(-error));
    }
    note_ack(u, OBJECT_TIME_LOG, segment->size);
}

// One segment. True = go on with the next one.
static bool send_segment(struct uploader *u, const struct spool_segment *segment, bool *online)
{
    int fd = -1;
    if (spool_open_segment(u->config.spool, segment, &fd) != 0) {
        u->passed = segment->number; // evicted or found damaged meanwhile: the spool has counted it
        return true;
    }
    struct delivery_result result = put_segment(u, segment, fd);
    close(fd);
    if (result.verdict == DELIVERY_ACKNOWLEDGED) {
        remove_segment(u, segment);
        return true;
    }
    spool_unpin(u->config.spool);
    if (result.verdict == DELIVERY_RETRY || result.verdict == DELIVERY_LATER) {
        *online = postpone(u, OBJECT_TIME_LOG, &result);
    }
    u->passed = segment->number;
    return result.verdict == DELIVERY_LATER && *online;
}

// Waits out the pace between two segments. False when told to stop.
static bool pace(struct uploader *u)
{
    mono_time until = mono_add(mono_now(), SEGMENT_PACE_NS);
    uint32_t reasons = wake_wait_until(&u->wake, until);
    if ((reasons & ~(uint32_t)WAKE_SEALED) != 0) {
        wake_poke(&u->wake, reasons); // not ours to take: the main loop acts on it
        return (reasons & WAKE_STOP) == 0;
    }
    return true;
}

// Sends what is sealed, oldest first. False when nothing can be reached.
static bool send_segments(struct uploader *u)
{
    bool online = true;
    u->due_ns[OBJECT_TIME_LOG] = NEVER_NS;
    u->passed = 0;
    struct spool_segment segment;
    while (spool_next_sealed(u->config.spool, u->passed, &segment)) {
        if (!send_segment(u, &segment, &online)) {
            break;
        }
        if (spool_next_sealed(u->config.spool, u->passed, &segment) && !pace(u)) {
            u->due_ns[OBJECT_TIME_LOG] = mono_now().ns; // interrupted, not done
            break;
        }
    }
    return online;
}

// One of the two status objects. False when nothing can be reached.
static bool send_text(struct uploader *u, enum delivery_object object)
{
    u->due_ns[object] = NEVER_NS;
    uint64_t token = 0;
    size_t size =
        u->config.texts.render(u->config.texts.ctx, object, u->text, sizeof u->text, &token);
    if (size == 0) {
        return true;
    }
    struct delivery_request request = {.object = object,
                                       .fd = -1,
                                       .data = u->text,
                                       .size = size,
                                       .name = delivery_object_name(object),
                                       .abort = &u->stopping};
    struct delivery_result result = {0};
    u->config.delivery->put(u->config.delivery, &request, &result);
    switch (result.verdict) {
    case DELIVERY_ACKNOWLEDGED:
        u->config.texts.acknowledged(u->config.texts.ctx, object, token);
        note_ack(u, object, size);
        return true;
    case DELIVERY_RETRY:
    case DELIVERY_LATER:
        return postpone(u, object, &result);
    case DELIVERY_UNWANTED:
    case DELIVERY_ABORTED:
        return true;
    }
    return true;
}

static bool is_stopping(const struct uploader *u)
{
    // Relaxed: nothing is read on the strength of this flag; it only ends work early.
    return atomic_load_explicit(&u->stopping, memory_order_relaxed);
}

// Tries every kind that is due; the first that finds nothing reachable postpones the rest with it.
static void send_due(struct uploader *u)
{
    bool online = true;
    int64_t postponed_ns = NEVER_NS;
    for (int object = 0; object < OBJECT_COUNT && !is_stopping(u); object++) {
        if (u->due_ns[object] > mono_now().ns) {
            continue;
        }
        if (!online) {
            u->due_ns[object] = postponed_ns;
            continue;
        }
        online = object == OBJECT_TIME_LOG ? send_segments(u)
                                           : send_text(u, (enum delivery_object)object);
        postponed_ns = u->due_ns[object];
    }
}

// ---- the round and the thread ------------------------------------------------------------------

static double random_unit(void)
{
    uint32_t bits = 0;
    ssize_t ignored = getrandom(&bits, sizeof bits, GRND_NONBLOCK); // early boot: 0 will do
    (void)ignored;
    return bits / 4294967296.0;
}

static void plan_next_round(struct uploader *u)
{
    int64_t interval_ns = (int64_t)u->config.interval_s * NS_PER_S;
    mono_time now = mono_now();
    do { // after a suspend: one round, not one for each interval missed
        u->grid = mono_add(u->grid, interval_ns);
    } while (mono_diff_ns(u->grid, now) <= 0);
    double spread = (double)interval_ns * u->config.jitter * random_unit();
    u->next_round = mono_add(u->grid, (int64_t)spread);
}

// Has the rows so far committed and sealed. A disk that hangs delays this by SEAL_WAIT_NS at most.
static void have_sealed(struct uploader *u)
{
    mono_time deadline = mono_add(mono_now(), SEAL_WAIT_NS);
    u->config.request_seal(u->config.request_seal_ctx);
    uint32_t others = 0;
    for (;;) {
        uint32_t reasons = wake_wait_until(&u->wake, deadline);
        others |= reasons & ~(uint32_t)WAKE_SEALED;
        if (reasons == 0 || (reasons & (WAKE_SEALED | WAKE_STOP)) != 0) {
            break;
        }
    }
    if (others != 0) {
        wake_poke(&u->wake, others);
    }
}

static void begin_round(struct uploader *u)
{
    have_sealed(u);
    for (int object = 0; object < OBJECT_COUNT; object++) {
        // What is backing off stays so: a round is no reason to knock earlier.
        if (u->due_ns[object] == NEVER_NS) {
            u->due_ns[object] = mono_now().ns;
        }
    }
    pthread_mutex_lock(&u->stats_mutex);
    u->stats.rounds++;
    pthread_mutex_unlock(&u->stats_mutex);
    plan_next_round(u);
}

static void take_config(struct uploader *u)
{
    pthread_mutex_lock(&u->stats_mutex);
    bool changed = u->config.interval_s != u->wanted_interval_s;
    u->config.interval_s = u->wanted_interval_s;
    u->config.jitter = u->wanted_jitter;
    pthread_mutex_unlock(&u->stats_mutex);
    if (changed) {
        u->grid = mono_now();
        plan_next_round(u);
    }
    for (int object = 0; object < OBJECT_COUNT; object++) {
        if (u->due_ns[object] != NEVER_NS) {
            u->due_ns[object] = mono_now().ns; // new credentials are worth a try at once
        }
    }
}

static mono_time next_deadline(const struct uploader *u)
{
    mono_time deadline = u->next_round;
    for (int object = 0; object < OBJECT_COUNT; object++) {
        if (u->due_ns[object] < deadline.ns) {
            deadline.ns = u->due_ns[object];
        }
    }
    return deadline;
}

static void *uploader_main(void *arg)
{
    struct uploader *u = arg;
    while (!is_stopping(u)) {
        publish_times(u);
        uint32_t reasons = wake_wait_until(&u->wake, next_deadline(u));
        if ((reasons & WAKE_STOP) != 0) {
            break;
        }
        if ((reasons & WAKE_CONFIG) != 0) {
            take_config(u);
        }
        if (mono_diff_ns(u->next_round, mono_now()) <= 0) {
            begin_round(u);
        }
        send_due(u);
    }
    return NULL;
}

// ---- lifecycle ---------------------------------------------------------------------------------

int uploader_start(struct uploader **uploader, const struct uploader_config *config)
{
    struct uploader *u = calloc(1, sizeof *u);
    if (u == NULL) {
        return -ENOMEM;
    }
    u->config = *config;
    u->wanted_interval_s = config->interval_s;
    u->wanted_jitter = config->jitter;
    u->grid = mono_add(mono_now(), (int64_t)config->first_upload_s * NS_PER_S);
    u->next_round = u->grid;
    for (int object = 0; object < OBJECT_COUNT; object++) {
        u->due_ns[object] = NEVER_NS;
    }
    atomic_init(&u->stopping, false);
    int error = wake_init(&u->wake);
    if (error != 0) {
        goto fail_wake;
    }
    error = -pthread_mutex_init(&u->stats_mutex, NULL);
    if (error != 0) {
        goto fail_mutex;
    }
    *uploader = u; // before the thread runs: whom it calls may look for it here
    error = worker_start(&u->thread, "uploader", uploader_main, u);
    if (error != 0) {
        goto fail_thread;
    }
    return 0;

fail_thread:
    *uploader = NULL;
    pthread_mutex_destroy(&u->stats_mutex);
fail_mutex:
    wake_destroy(&u->wake);
fail_wake:
    free(u);
    return error;
}

void uploader_sealed(struct uploader *uploader)
{
    wake_poke(&uploader->wake, WAKE_SEALED);
}

void uploader_reconfigure(struct uploader *uploader, uint32_t interval_s, double jitter)
{
    pthread_mutex_lock(&uploader->stats_mutex);
    uploader->wanted_interval_s = interval_s;
    uploader->wanted_jitter = jitter;
    pthread_mutex_unlock(&uploader->stats_mutex);
    wake_poke(&uploader->wake, WAKE_CONFIG);
}

void uploader_request_stop(struct uploader *uploader)
{
    atomic_store_explicit(&uploader->stopping, true, memory_order_relaxed);
    wake_poke(&uploader->wake, WAKE_STOP);
}

int uploader_join(struct uploader *uploader, mono_time deadline)
{
    struct timespec until = nstime_to_timespec(deadline.ns);
    return -pthread_clockjoin_np(uploader->thread, NULL, CLOCK_MONOTONIC, &until);
}

void uploader_free(struct uploader *uploader)
{
    pthread_mutex_destroy(&uploader->stats_mutex);
    wake_destroy(&uploader->wake);
    free(uploader);
}

void uploader_get_stats(struct uploader *uploader, struct uploader_stats *stats)
{
    pthread_mutex_lock(&uploader->stats_mutex);
    *stats = uploader->stats;
    pthread_mutex_unlock(&uploader->stats_mutex);
}
