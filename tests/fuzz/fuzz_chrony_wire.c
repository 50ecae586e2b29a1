/*
 * Any datagram as the answer to each command: what is accepted must decode, render and be judged
 * without a value that no row may carry.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "core/verdict.h"
#include "timesource/chrony_reading.h"
#include "timesource/chrony_wire.h"
#include "timesource/report_text.h"
#include "timesource/tracking_text.h"

#include <math.h>
#include <string.h>

#define ERA_NS (INT64_C(4294967296) * NS_PER_S)

static void require_whole(const char *text, size_t length, size_t cap)
{
    FUZZ_REQUIRE(length < cap - 1 && strlen(text) == length);
}

// printf makes "nan" or "inf" of nothing else (a reference ID may well spell it).
static void require_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        FUZZ_REQUIRE(isfinite(values[i]));
    }
}

static void require_in_range(const struct reading *r)
{
    FUZZ_REQUIRE(r->clock_diff_ns >= -ERA_NS && r->clock_diff_ns <= ERA_NS);
    FUZZ_REQUIRE(r->last_offset_ns >= -ERA_NS && r->last_offset_ns <= ERA_NS);
    FUZZ_REQUIRE(r->root_delay_ns >= 0 && r->root_dispersion_ns >= 0 && r->error_bound_ns >= 0);
    bool is_good = r->status != STATUS_UNKNOWN && r->status != STATUS_NOT_SYNCHRONISED;
    FUZZ_REQUIRE(is_good || r->valid == 0);
}

static void judge_tracking(const uint8_t *reply)
{
    char text[TRACKING_TEXT_MAX];
    struct report_tracking tracking;
    struct reading reading;
    struct ref_age age = {0};
    chrony_decode_tracking(reply, &tracking);
    require_whole(text, tracking_text(text, sizeof text, &tracking), sizeof text);
    const double values[] = {
        tracking.correction_s, tracking.last_offset_s,     tracking.rms_offset_s,
        tracking.freq_ppm,     tracking.resid_freq_ppm,    tracking.skew_ppm,
        tracking.root_delay_s, tracking.root_dispersion_s, tracking.update_interval_s,
    };
    require_finite(values, sizeof values / sizeof values[0]);
    chrony_reading(&tracking, &reading);
    require_in_range(&reading);
    reading.ref_age_ns = ref_age_update(&age, &tracking, (mono_time){5 * NS_PER_S},
                                        (wall_time){INT64_C(1795348364) * NS_PER_S});
    FUZZ_REQUIRE(reading.ref_age_ns >= 0);
    reading.valid |= VALID_REF_AGE;
    if (chrony_interval_ns(tracking.update_interval_s, &reading.update_interval_ns)) {
        FUZZ_REQUIRE(reading.update_interval_ns >= 0);
        reading.valid |= VALID_UPDATE_INTERVAL;
    }
    FUZZ_REQUIRE(verdict_judge(&reading) <= SYNC_UNREACHABLE);
}

static void judge_list(const uint8_t *reply, enum chrony_command command)
{
    static char text[REPORT_TEXT_MAX];
    static struct source_report report;
    report = (struct source_report){.valid = REPORT_SOURCES | REPORT_ACTIVITY, .source_count = 1};
    switch (command) {
    case CHRONY_N_SOURCES:
        report.source_count = chrony_decode_source_count(reply);
        break;
    case CHRONY_SOURCE_DATA:
        chrony_decode_source_data(reply, &report.sources[0]);
        break;
    case CHRONY_SOURCESTATS:
        memcpy(report.sources[0].address.bytes, reply + 32, 16);
        chrony_decode_sourcestats(reply, &report.sources[0]);
        break;
    default:
        chrony_decode_activity(reply, &report.activity);
    }
    const struct report_source *source = &report.sources[0];
    const double values[] = {
        source->original_offset_s, source->adjusted_offset_s,  source->offset_error_s,
        source->std_dev_s,         source->resid_freq_ppm,     source->skew_ppm,
        source->est_offset_s,      source->est_offset_error_s,
    };
    require_finite(values, sizeof values / sizeof values[0]);
    require_whole(text, report_text(text, sizeof text, &report), sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum chrony_command commands[] = {
        CHRONY_TRACKING, CHRONY_N_SOURCES, CHRONY_SOURCE_DATA, CHRONY_SOURCESTATS, CHRONY_ACTIVITY};
    // The sequence that was asked with is the one in the datagram: else nothing gets further.
    uint32_t sequence = size >= 20 ? bytes_get_u32(data + 16) : 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        uint16_t status = 0;
        enum chrony_reply verdict = chrony_reply_check(data, size, commands[i], sequence, &status);
        FUZZ_REQUIRE((verdict == CHRONY_REPLY_REFUSED) == (status != 0));
        if (verdict == CHRONY_REPLY_GOOD && commands[i] == CHRONY_TRACKING) {
            judge_tracking(data);
        } else if (verdict == CHRONY_REPLY_GOOD) {
            judge_list(data, commands[i]);
        }
    }
    return 0;
}
