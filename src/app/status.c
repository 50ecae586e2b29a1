#include "app/status.h"

#include "base/textbuf.h"
#include "build_config.h"
#include "timesource/report_text.h"
#include "timesource/tracking_text.h"

#include <inttypes.h>
#include <string.h>

#define WALL_TEXT_MAX 40

// 2026-11-22 11:47:03.123456 UTC, computed without any time zone.
static const char *wall_text(int64_t wall_ns, char *out, size_t size)
{
    struct timespec ts = nstime_to_timespec(wall_ns);
    struct tm tm;
    char day[24];
    if (gmtime_r(&ts.tv_sec, &tm) == NULL || strftime(day, sizeof day, "%F %T", &tm) == 0) {
        snprintf(out, size, "(out of range)");
    } else {
        snprintf(out, size, "%s.%06u UTC", day, (unsigned)(ts.tv_nsec / 1000) % 1000000u);
    }
    return out;
}

static void put_tracking(struct textbuf *buf, const struct source_report *report)
{
    if ((report->valid & REPORT_TRACKING) == 0) {
        textbuf_printf(buf, "506 Cannot talk to daemon\n"); // as chronyc says it
        return;
    }
    buf->used += tracking_text(buf->text + buf->used, buf->capacity - buf->used, &report->tracking);
}

static void put_offset(struct textbuf *buf, const struct record *record)
{
    double diff_s = (double)record->clock_diff_ns / 1e9;
    if ((record->valid & VALID_CLOCK_DIFF) != 0) {
        textbuf_printf(buf, "Offset          : %.9f seconds %s\n", diff_s < 0 ? -diff_s : diff_s,
                       diff_s < 0 ? "slow" : "fast");
    } else {
        textbuf_printf(buf, "Offset          : not known\n");
    }
    if ((record->valid & VALID_ERROR_BOUND) != 0) {
        textbuf_printf(buf, "Error bound     : %.9f seconds\n",
                       (double)record->error_bound_ns / 1e9);
    }
}

static void put_verdict(struct textbuf *buf, const struct sampler_snapshot *snapshot)
{
    const struct record *record = &snapshot->record;
    char when[WALL_TEXT_MAX];
    textbuf_printf(buf, "\nVerdict\n=======\n");
    textbuf_printf(buf, "State           : %s\n",
                   sync_state_name((enum sync_state)record->sync_state));
    textbuf_printf(buf, "Source          : %s, status %s\n",
                   source_id_name((enum source_id)record->source),
                   clock_status_name((enum clock_status)record->status));
    put_offset(buf, record);
    if ((record->valid & VALID_REF_AGE) != 0) {
        textbuf_printf(buf, "Reference age   : %.3f seconds\n", (double)record->ref_age_ns / 1e9);
    }
    textbuf_printf(buf, "Sampled         : %s, boot %08" PRIx32 ", seq %" PRIu64 "\n",
                   wall_text(record->wall_ns, when, sizeof when), record->boot_id, record->seq);
}

static void put_clock(struct textbuf *buf, const struct sampler_snapshot *snapshot)
{
    textbuf_printf(buf, "\nAdjustments\n===========\n");
    if (snapshot->slew_known) {
        textbuf_printf(buf, "Rate            : %+.6f ppm against the bare crystal\n",
                       (double)snapshot->slew_ppt / 1e6);
    }
    textbuf_printf(buf, "Steps           : %" PRIu64 " in this run\n", snapshot->steps.count);
    if (snapshot->steps.count > 0) {
        textbuf_printf(buf, "time_steps.csv\n");
        buf->used +=
            step_ledger_text(buf->text + buf->used, buf->capacity - buf->used, &snapshot->steps);
    }
}

static void put_report(struct textbuf *buf, const struct source_report *report)
{
    buf->used += report_text(buf->text + buf->used, buf->capacity - buf->used, report);
}

static void put_logger(struct textbuf *buf, const struct status *status,
                       const struct sampler_snapshot *snapshot)
{
    int64_t up_ns = mono_diff_ns(mono_now(), status->started);
    textbuf_printf(buf, "\nLogger\n======\n");
    textbuf_printf(buf, "Version         : %s\n", NTP_LOGGER_VERSION);
    textbuf_printf(buf, "Boot id         : %08" PRIx32 "\n", status->boot_id);
    textbuf_printf(buf, "Running         : %" PRId64 " seconds\n", up_ns / NS_PER_S);
    textbuf_printf(buf,
                   "Rows            : %" PRIu64 " sampled, %" PRIu64 " ticks missed, %" PRIu64
                   " dropped, %" PRIu64 " not good\n",
                   snapshot->samples, snapshot->missed_ticks, snapshot->dropped,
                   snapshot->failures);
    textbuf_printf(buf, "Ring            : %s\n", status->ring_place);
}

static void put_spool(struct textbuf *buf, const struct status *status)
{
    struct spool_stats stats;
    spool_get_stats(status->spool, &stats);
    textbuf_printf(buf, "\nSpool\n=====\n");
    textbuf_printf(buf,
                   "Waiting         : %" PRIu32 " segments, %" PRIu64 " bytes; %" PRIu64
                   " bytes in the active one\n",
                   stats.sealed_segments, stats.sealed_bytes, stats.active_bytes);
    textbuf_printf(buf, "Evicted         : %" PRIu32 " segments, %" PRIu64 " rows\n",
                   stats.evicted_segments, stats.evicted_rows);
    textbuf_printf(buf, "Bad files       : %" PRIu32 "\n", stats.bad_files);
    textbuf_printf(buf, "Disk errors     : %" PRIu32 " writes, %" PRIu32 " syncs%s%s\n",
                   stats.write_errors, stats.sync_errors, stats.last_error != 0 ? "; now: " : "",
                   stats.last_error != 0 ? strerror(-stats.last_error) : "");
}

static void put_expiry(struct textbuf *buf, int64_t expiry_s)
{
    char when[WALL_TEXT_MAX];
    int64_t left_s = expiry_s - wall_now().ns / NS_PER_S;
    int64_t span_s = left_s < 0 ? -left_s : left_s;
    textbuf_printf(buf, "  URL expires   : %s, %s %" PRId64 " d %" PRId64 " h %" PRId64 " min\n",
                   wall_text(expiry_s * NS_PER_S, when, sizeof when),
                   left_s < 0 ? "dead since" : "in", span_s / 86400, span_s / 3600 % 24,
                   span_s / 60 % 60);
}

static void put_lane(struct textbuf *buf, enum delivery_object object,
                     const struct sender_lane_state *lane)
{
    textbuf_printf(buf, "%s\n", delivery_object_name(object));
    if (!lane->wanted) {
        textbuf_printf(buf, "  Address       : none configured\n");
        return;
    }
    textbuf_printf(buf, "  Address       : %s\n", lane->where);
    if (lane->expires) {
        put_expiry(buf, lane->expiry_s);
    }
    textbuf_printf(buf, "  Attempts      : %" PRIu64 ", %" PRIu64 " acknowledged\n", lane->attempts,
                   lane->acks);
    if (lane->attempted) {
        textbuf_printf(buf, "  Last          : %s%s%s\n", outcome_action(lane->outcome)->name,
                       lane->reason[0] != '\0' ? ", " : "", lane->reason);
    }
}

static void put_source(struct textbuf *buf, const struct sender_source_state *source)
{
    if (!source->wanted) {
        return;
    }
    textbuf_printf(buf, "URL source      : %s\n", source->where);
    if (source->answered) {
        textbuf_printf(buf, "  Answered      : %" PRId64 " seconds ago\n",
                       mono_diff_ns(mono_now(), source->answer_time) / NS_PER_S);
    }
    if (source->asked && source->outcome != OUTCOME_ACK) {
        textbuf_printf(buf, "  Last          : %s, %s\n", outcome_action(source->outcome)->name,
                       source->reason);
    }
}

static void put_uploads(struct textbuf *buf, const struct status *status)
{
    struct uploader_stats stats;
    uploader_get_stats(status->uploader, &stats);
    textbuf_printf(buf, "\nUploads\n=======\n");
    textbuf_printf(buf, "Rounds          : %" PRIu64 "\n", stats.rounds);
    textbuf_printf(buf, "Acknowledged    : %" PRIu64 " segments, %" PRIu64 " bytes in all\n",
                   stats.segments_sent, stats.bytes_sent);
    textbuf_printf(buf, "Refused         : %" PRIu64 " attempts%s%s\n", stats.refusals,
                   stats.last_reason[0] != '\0' ? "; last: " : "", stats.last_reason);
    struct sender_state sender;
    sender_get_state(status->sender, &sender);
    put_source(buf, &sender.source);
    for (int object = 0; object < OBJECT_COUNT; object++) {
        put_lane(buf, (enum delivery_object)object, &sender.lanes[object]);
    }
    if (sender.server_time_known) {
        textbuf_printf(buf, "Server's clock  : %" PRId64 " seconds ahead of ours, by its Date\n",
                       sender.server_ahead_s);
    }
}

static void put_failure(struct textbuf *buf, const struct sampler_snapshot *snapshot)
{
    char when[WALL_TEXT_MAX];
    textbuf_printf(buf, "\nFailures\n========\n");
    textbuf_printf(buf, "Samples         : %" PRIu64 " not good since start\n", snapshot->failures);
    textbuf_printf(buf, "First           : %s\n",
                   wall_text(snapshot->first_failure_wall_ns, when, sizeof when));
    textbuf_printf(buf, "Last            : %s\n",
                   wall_text(snapshot->record.wall_ns, when, sizeof when));
}

size_t status_render(void *ctx, enum delivery_object object, char *out, size_t cap, uint64_t *token)
{
    const struct status *status = ctx;
    struct sampler_snapshot snapshot = {0};
    bool failed = object == OBJECT_NTP_FAILED_STATUS;
    bool there =
        status->sampler != NULL && (failed ? sampler_get_failure(status->sampler, &snapshot)
                                           : sampler_get_latest(status->sampler, &snapshot));
    if (failed && (!there || snapshot.failures <= status->failures_told)) {
        return 0;
    }
    struct textbuf buf = textbuf_over(out, cap);
    put_tracking(&buf, &snapshot.report);
    if (there) {
        put_verdict(&buf, &snapshot);
    }
    if (failed) {
        put_failure(&buf, &snapshot);
    }
    put_clock(&buf, &snapshot);
    put_report(&buf, &snapshot.report);
    put_logger(&buf, status, &snapshot);
    put_spool(&buf, status);
    put_uploads(&buf, status);
    *token = snapshot.failures;
    return buf.used;
}

void status_acknowledged(void *ctx, enum delivery_object object, uint64_t token)
{
    struct status *status = ctx;
    if (object == OBJECT_NTP_FAILED_STATUS) {
        status->failures_told = token;
    }
}
