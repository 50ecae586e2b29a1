#include "csv_reference.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct text {
    char *at;
    char *end;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text->at += vsnprintf(text->at, (size_t)(text->end - text->at), format, args);
    va_end(args);
}

// VALUE in units of 1/SCALE, DECIMALS digits behind the point.
static void add_fixed(struct text *text, int64_t value, uint64_t scale, int decimals)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    add(text, "%s%" PRIu64 ".%0*" PRIu64, value < 0 ? "-" : "", magnitude / scale, decimals,
        magnitude % scale);
}

static void add_nano(struct text *text, const struct record *record, uint32_t bit, int64_t ns)
{
    if (record->valid & bit) {
        add_fixed(text, ns, 1000000000, 9);
    }
    add(text, ",");
}

static void add_clock_columns(struct text *text, const struct record *record)
{
    int64_t wall_us = record->wall_ns / 1000;
    if (record->wall_ns % 1000 < 0) {
        wall_us--;
    }
    add(text, "%" PRId64 ",%" PRId64 ",%" PRId64 ",", record->elapsed_mono_us,
        record->elapsed_wall_us, wall_us);
    add_nano(text, record, VALID_CLOCK_DIFF, record->clock_diff_ns);
    add(text, "%s", clock_status_name(record->status));
}

static void add_source(struct text *text, const struct record *record)
{
    add(text, "%s,%s,", sync_state_name(record->sync_state), source_id_name(record->source));
    if (record->valid & VALID_STRATUM) {
        add(text, "%u", record->stratum);
    }
    add(text, ",");
    if (record->valid & VALID_REF_AGE) {
        add_fixed(text, record->ref_age_ns / 1000000, 1000, 3);
    }
    add(text, ",");
    add_nano(text, record, VALID_LAST_OFFSET, record->last_offset_ns);
    if (record->valid & VALID_FREQ) {
        add_fixed(text, record->freq_ppt, 1000000, 6);
    }
    add(text, ",");
    add_nano(text, record, VALID_ROOT_DELAY, record->root_delay_ns);
    add_nano(text, record, VALID_ROOT_DISPERSION, record->root_dispersion_ns);
    add_nano(text, record, VALID_ERROR_BOUND, record->error_bound_ns);
}

static void add_events(struct text *text, const struct record *record)
{
    const char *between = "";
    if (record->events & EVENT_START) {
        add(text, "start");
        between = ";";
    }
    if (record->events & EVENT_STEP) {
        add(text, "%sstep=%s", between, record->step_ns >= 0 ? "+" : "");
        add_fixed(text, record->step_ns, 1000000000, 9);
        between = ";";
    }
    if (record->events & EVENT_GAP) {
        add(text, "%sgap=%" PRIu32, between, record->gap_rows);
        between = ";";
    }
    if (record->events & EVENT_DROPPED) {
        add(text, "%sdropped=%" PRIu32, between, record->dropped_rows);
        between = ";";
    }
    if (record->events & EVENT_EVICTED) {
        add(text, "%sevicted=%" PRIu64 "-%" PRIu64, between, record->evicted_first,
            record->evicted_last);
        between = ";";
    }
    if (record->events & EVENT_STATE) {
        add(text, "%sstate=%s>%s", between, sync_state_name(record->old_state),
            sync_state_name(record->sync_state));
    }
}

size_t csv_reference_clock_columns(char *out, size_t size, const struct record *record)
{
    struct text text = {out, out + size};
    add_clock_columns(&text, record);
    return (size_t)(text.at - out);
}

size_t csv_reference_row(char *out, size_t size, const struct record *record)
{
    struct text text = {out, out + size};
    add_clock_columns(&text, record);
    add(&text, ",%08" PRIx32 ",%" PRIu64 ",%" PRId64 ",%" PRIu32 ",", record->boot_id, record->seq,
        record->elapsed_raw_ns, record->read_window_ns);
    add_source(&text, record);
    add_events(&text, record);
    add(&text, "\n");
    return (size_t)(text.at - out);
}

uint64_t csv_reference_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// Every magnitude as likely as any other, so that short and long numbers both come up; sometimes
// a neighbour of a power of ten or an end of the type, where digit counts change.
static uint64_t random_u64(uint64_t *state)
{
    uint64_t power = 1;
    uint64_t choice = csv_reference_random(state) % 32;
    if (choice < 20) {
        for (uint64_t i = 0; i < choice; i++) {
            power *= 10;
        }
        return power + csv_reference_random(state) % 3 - 1;
    }
    if (choice < 22) {
        return choice == 20 ? UINT64_MAX : 0;
    }
    return csv_reference_random(state) >> (csv_reference_random(state) % 64);
}

static int64_t random_i64(uint64_t *state)
{
    uint64_t choice = csv_reference_random(state) % 64;
    if (choice < 2) {
        return choice == 0 ? INT64_MIN : INT64_MAX;
    }
    uint64_t magnitude = random_u64(state) & INT64_MAX;
    return choice % 2 == 0 ? (int64_t)magnitude : -(int64_t)magnitude;
}

void csv_reference_random_record(struct record *record, uint64_t *state)
{
    *record = (struct record){
        .seq = random_u64(state),
        .boot_id = (uint32_t)random_u64(state),
        .valid = (uint32_t)csv_reference_random(state),
        .events = (uint32_t)(csv_reference_random(state) & csv_reference_random(state)),
        .read_window_ns = (uint32_t)random_u64(state),
        .wall_ns = random_i64(state),
        .elapsed_mono_us = random_i64(state),
        .elapsed_wall_us = random_i64(state),
        .elapsed_raw_ns = random_i64(state),
        .clock_diff_ns = random_i64(state),
        .ref_age_ns = random_i64(state),
        .last_offset_ns = random_i64(state),
        .freq_ppt = random_i64(state),
        .root_delay_ns = random_i64(state),
        .root_dispersion_ns = random_i64(state),
        .error_bound_ns = random_i64(state),
        .step_ns = random_i64(state),
        .evicted_first = random_u64(state),
        .evicted_last = random_u64(state),
        .gap_rows = (uint32_t)random_u64(state),
        .dropped_rows = (uint32_t)random_u64(state),
        .stratum = (uint16_t)random_u64(state),
        // Out of range as well: a ring found on disk may hold anything.
        .status = (uint8_t)(csv_reference_random(state) % 7),
        .sync_state = (uint8_t)(csv_reference_random(state) % 7),
        .old_state = (uint8_t)(csv_reference_random(state) % 7),
        .source = (uint8_t)(csv_reference_random(state) % 7),
    };
}

void csv_reference_longest_record(struct record *record)
{
    *record = (struct record){
        .seq = UINT64_MAX,
        .boot_id = UINT32_MAX,
        .valid = UINT32_MAX,
        .events = UINT32_MAX,
        .read_window_ns = UINT32_MAX,
        .wall_ns = INT64_MIN,
        .elapsed_mono_us = INT64_MIN,
        .elapsed_wall_us = INT64_MIN,
        .elapsed_raw_ns = INT64_MIN,
        .clock_diff_ns = INT64_MIN,
        .ref_age_ns = INT64_MIN,
        .last_offset_ns = INT64_MIN,
        .freq_ppt = INT64_MIN,
        .root_delay_ns = INT64_MIN,
        .root_dispersion_ns = INT64_MIN,
        .error_bound_ns = INT64_MIN,
        .step_ns = INT64_MIN,
        .evicted_first = UINT64_MAX,
        .evicted_last = UINT64_MAX,
        .gap_rows = UINT32_MAX,
        .dropped_rows = UINT32_MAX,
        .stratum = UINT16_MAX,
        .status = STATUS_NOT_SYNCHRONISED,
        .sync_state = SYNC_UNREACHABLE,
        .old_state = SYNC_UNREACHABLE,
        .source = SOURCE_CHRONYC,
    };
}
