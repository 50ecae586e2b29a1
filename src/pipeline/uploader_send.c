#include "uploader_private.h"

#include "base/log.h"
#include "base/md5.h"
#include "pipeline/projection.h"
#include "pipeline/segment_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEGMENT_PACE_NS  NS_PER_S // after an outage: one segment a second at most
#define PROJECT_RETRY_MS 60000

// REMARK: what the delivery has to say of a success, once per address; "" mostly.
static void note_ack(struct uploader *u, enum delivery_object object, uint64_t size,
                     const char *remark)
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
    if (remark[0] != '\0') {
        log_warning("upload: %s %s", delivery_object_name(object), remark);
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

// After a refusal: when to come back. True when going on with other objects makes sense: a server
// that gave no answer at all would cost each of them a time-out, and the next seal would wait.
static bool postpone(struct uploader *u, enum delivery_object object,
                     const struct delivery_result *result)
{
    u->due_ns[object] = mono_now().ns + (int64_t)result->retry_in_ms * NS_PER_MS;
    note_refusal(u, object, result);
    return !result->offline;
}

static void put_plain(struct uploader *u, const struct spool_segment *segment, const char *name,
                      int fd, struct delivery_result *result)
{
    uint8_t md5[MD5_BYTES];
    struct delivery_request request = {.object = OBJECT_TIME_LOG,
                                       .fd = fd,
                                       .size = segment->size,
                                       .name = name,
                                       .abort = &u->stopping};
    request.md5 = spool_segment_md5(u->config.spool, segment, md5) ? md5 : NULL;
    u->config.delivery->put(u->config.delivery, &request, result);
}

static void put_legacy(struct uploader *u, const char *name, int fd, struct delivery_result *result)
{
    struct delivery_request request = {
        .object = OBJECT_TIME_LOG, .fd = -1, .name = name, .abort = &u->stopping};
    int error = projection_legacy(fd, u->config.scratch_dir, &request.fd, &request.size);
    if (error != 0) {
        snprintf(result->reason, sizeof result->reason, "can't make its legacy form: %s",
                 strerror(-error));
        return;
    }
    u->config.delivery->put(u->config.delivery, &request, result);
    close(request.fd);
}

// A segment in the form that is asked for. Not being able to make it is a reason to try again.
static struct delivery_result put_segment(struct uploader *u, const struct spool_segment *segment,
                                          int fd)
{
    struct delivery_result result = {.verdict = DELIVERY_RETRY, .retry_in_ms = PROJECT_RETRY_MS};
    char name[SEGMENT_NAME_MAX];
    segment_name(fd, segment, name);
    if (u->config.legacy) {
        put_legacy(u, name, fd, &result);
    } else {
        put_plain(u, segment, name, fd, &result);
    }
    return result;
}

static void remove_segment(struct uploader *u, const struct spool_segment *segment,
                           const char *remark)
{
    int error = spool_remove(u->config.spool, segment);
    if (error != 0) {
        log_warning("upload: segment %s is stored but can't be deleted: %s", segment->name,
                    strerror(-error));
    }
    note_ack(u, OBJECT_TIME_LOG, segment->size, remark);
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
        remove_segment(u, segment, result.reason);
        return true;
    }
    spool_unpin(u->config.spool);
    u->passed = segment->number;
    if (result.verdict == DELIVERY_LATER) {
        int64_t wait_ns = (int64_t)result.retry_in_ms * NS_PER_MS;
        aside_add(&u->aside, segment->number, mono_now().ns + wait_ns);
        note_refusal(u, OBJECT_TIME_LOG, &result);
    } else if (result.verdict == DELIVERY_RETRY) {
        *online = postpone(u, OBJECT_TIME_LOG, &result);
    }
    return result.verdict == DELIVERY_LATER;
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
    bool tried = false;
    bool go_on = true;
    u->due_ns[OBJECT_TIME_LOG] = UPLOADER_NEVER_NS;
    u->passed = 0;
    aside_expire(&u->aside, mono_now().ns);
    struct spool_segment segment;
    while (go_on && spool_next_sealed(u->config.spool, u->passed, &segment)) {
        if (aside_holds(&u->aside, segment.number, mono_now().ns)) {
            u->passed = segment.number;
        } else if (tried && !pace(u)) {
            u->due_ns[OBJECT_TIME_LOG] = mono_now().ns; // interrupted, not done
            go_on = false;
        } else {
            tried = true;
            go_on = send_segment(u, &segment, &online);
        }
    }
    if (u->due_ns[OBJECT_TIME_LOG] == UPLOADER_NEVER_NS) {
        u->due_ns[OBJECT_TIME_LOG] = aside_next_ns(&u->aside);
    }
    return online;
}

// One of the two status objects. False when nothing can be reached.
static bool send_text(struct uploader *u, enum delivery_object object)
{
    u->due_ns[object] = UPLOADER_NEVER_NS;
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
        note_ack(u, object, size, result.reason);
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

bool uploader_is_stopping(const struct uploader *u)
{
    // Relaxed: nothing is read on the strength of this flag; it only ends work early.
    return atomic_load_explicit(&u->stopping, memory_order_relaxed);
}

// Tries every kind that is due; the first that finds nothing reachable postpones the rest with it.
void uploader_send_due(struct uploader *u)
{
    bool online = true;
    int64_t postponed_ns = UPLOADER_NEVER_NS;
    for (int object = 0; object < OBJECT_COUNT && !uploader_is_stopping(u); object++) {
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
