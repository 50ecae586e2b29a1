#include "core/csv.h"

#include "base/decimal.h"
#include "base/nstime.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Columns by their place in the row; docs/RECORD.md explains them. */
enum column {
    COLUMN_ELAPSED,
    COLUMN_ELAPSED_SYSTEM,
    COLUMN_SYSTEM_TIME,
    COLUMN_CLOCK_DIFF,
    COLUMN_STATUS,
    COLUMN_BOOT_ID,
    COLUMN_SEQ,
    COLUMN_ELAPSED_RAW,
    COLUMN_READ_WINDOW,
    COLUMN_SYNC_STATE,
    COLUMN_SOURCE,
    COLUMN_STRATUM,
    COLUMN_REF_AGE,
    COLUMN_LAST_OFFSET,
    COLUMN_FREQ,
    COLUMN_ROOT_DELAY,
    COLUMN_ROOT_DISPERSION,
    COLUMN_ERROR_BOUND,
    COLUMN_EVENT,
    COLUMN_COUNT,
};

const char csv_header[] = "elapsed_time,elapsed_system_time,current_system_time,clock_diff,status,"
                          "boot_id,seq,elapsed_raw_ns,read_window_ns,sync_state,source,stratum,"
                          "ref_age_s,last_offset_s,freq_ppm,root_delay_s,root_dispersion_s,"
                          "error_bound_s,event\n";

/* ---- writing ---- */

static char *put_comma(char *out)
{
    *out = ',';
    return out + 1;
}

static char *put_text(char *out, const char *text)
{
    size_t length = strlen(text);
    memcpy(out, text, length);
    return out + length;
}

// The first eight hex digits of the boot id, leading zeros kept: it is a name, not a number.
static char *put_boot_id(char *out, uint32_t boot_id)
{
    for (int shift = 28; shift >= 0; shift -= 4) {
        *out++ = "0123456789abcdef"[boot_id >> shift & 0xf];
    }
    return out;
}

// An absent value is an empty field; both end with the comma.
static char *put_nano_if(char *out, bool present, int64_t ns)
{
    return put_comma(present ? decimal_put_nano(out, ns) : out);
}

// Rounds towards minus infinity, so that a time before 1970 stays before its microsecond too.
static int64_t floor_us(int64_t ns)
{
    return ns / NS_PER_US - (ns % NS_PER_US < 0);
}

size_t csv_format_clock_columns(char *out, const struct record *record)
{
    char *p = put_comma(decimal_put_i64(out, record->elapsed_mono_us));
    p = put_comma(decimal_put_i64(p, record->elapsed_wall_us));
    p = put_comma(decimal_put_i64(p, floor_us(record->wall_ns)));
    p = put_nano_if(p, record->valid & VALID_CLOCK_DIFF, record->clock_diff_ns);
    p = put_text(p, clock_status_name(record->status));
    return (size_t)(p - out);
}

// What the time source said, columns 10 to 18.
static char *put_source_columns(char *out, const struct record *record)
{
    uint32_t valid = record->valid;
    char *p = put_comma(put_text(out, sync_state_name(record->sync_state)));
    p = put_comma(put_text(p, source_id_name(record->source)));
    p = put_comma(valid & VALID_STRATUM ? decimal_put_u64(p, record->stratum) : p);
    p = put_comma(valid & VALID_REF_AGE ? decimal_put_milli(p, record->ref_age_ns / NS_PER_MS) : p);
    p = put_nano_if(p, valid & VALID_LAST_OFFSET, record->last_offset_ns);
    p = put_comma(valid & VALID_FREQ ? decimal_put_micro(p, record->freq_ppt) : p);
    p = put_nano_if(p, valid & VALID_ROOT_DELAY, record->root_delay_ns);
    p = put_nano_if(p, valid & VALID_ROOT_DISPERSION, record->root_dispersion_ns);
    return put_nano_if(p, valid & VALID_ERROR_BOUND, record->error_bound_ns);
}

static char *put_start(char *out, const struct record *record)
{
    (void)record;
    return out;
}

static char *put_step(char *out, const struct record *record)
{
    if (record->step_ns >= 0) {
        *out++ = '+';
    }
    return decimal_put_nano(out, record->step_ns);
}

static char *put_gap(char *out, const struct record *record)
{
    return decimal_put_u64(out, record->gap_rows);
}

static char *put_dropped(char *out, const struct record *record)
{
    return decimal_put_u64(out, record->dropped_rows);
}

static char *put_evicted(char *out, const struct record *record)
{
    out = decimal_put_u64(out, record->evicted_first);
    *out++ = '-';
    return decimal_put_u64(out, record->evicted_last);
}

static char *put_state(char *out, const struct record *record)
{
    out = put_text(out, sync_state_name(record->old_state));
    *out++ = '>';
    return put_text(out, sync_state_name(record->sync_state));
}

// The words of the event column, in the order they appear.
static const struct event_word {
    uint32_t event;
    const char *word;
    char *(*put_value)(char *out, const struct record *record);
} event_words[] = {
    {EVENT_START, "start", put_start},
    {EVENT_STEP, "step=", put_step},
    {EVENT_GAP, "gap=", put_gap},
    {EVENT_DROPPED, "dropped=", put_dropped},
    {EVENT_EVICTED, "evicted=", put_evicted},
    {EVENT_STATE, "state=", put_state},
};

#define EVENT_WORDS (sizeof event_words / sizeof event_words[0])

static char *put_events(char *out, const struct record *record)
{
    char *begin = out;
    for (size_t i = 0; record->events != 0 && i < EVENT_WORDS; i++) {
        if (record->events & event_words[i].event) {
            if (out != begin) {
                *out++ = ';';
            }
            out = event_words[i].put_value(put_text(out, event_words[i].word), record);
        }
    }
    return out;
}

size_t csv_format_row(char *out, const struct record *record)
{
    char *p = put_comma(out + csv_format_clock_columns(out, record));
    p = put_comma(put_boot_id(p, record->boot_id));
    p = put_comma(decimal_put_u64(p, record->seq));
    p = put_comma(decimal_put_i64(p, record->elapsed_raw_ns));
    p = put_comma(decimal_put_u64(p, record->read_window_ns));
    p = put_source_columns(p, record);
    p = put_events(p, record);
    *p++ = '\n';
    return (size_t)(p - out);
}

/* ---- reading back ---- */

struct field {
    const char *text;
    size_t length;
};

// Takes up to MAX decimal digits; returns how many there were.
static size_t take_digits(struct field *field, size_t max)
{
    size_t n = 0;
    while (n < field->length && n < max && field->text[n] >= '0' && field->text[n] <= '9') {
        n++;
    }
    field->text += n;
    field->length -= n;
    return n;
}

static bool take_char(struct field *field, char c)
{
    if (field->length == 0 || field->text[0] != c) {
        return false;
    }
    field->text++;
    field->length--;
    return true;
}

static bool is_unsigned(struct field field)
{
    return take_digits(&field, 20) > 0 && field.length == 0;
}

static bool is_signed(struct field field)
{
    take_char(&field, '-');
    return take_digits(&field, 19) > 0 && field.length == 0;
}

// Absent, or digits with exactly DECIMALS of them behind the point.
static bool is_fixed(struct field field, size_t decimals)
{
    if (field.length == 0) {
        return true;
    }
    take_char(&field, '-');
    return take_digits(&field, 19) > 0 && take_char(&field, '.') &&
           take_digits(&field, decimals) == decimals && field.length == 0;
}

static bool is_milli(struct field field)
{
    return is_fixed(field, 3);
}

static bool is_micro(struct field field)
{
    return is_fixed(field, 6);
}

static bool is_nano(struct field field)
{
    return is_fixed(field, 9);
}

static bool is_stratum(struct field field)
{
    return field.length == 0 || is_unsigned(field);
}

static bool equals(struct field field, const char *word)
{
    return strlen(word) == field.length && memcmp(word, field.text, field.length) == 0;
}

static bool is_status(struct field field)
{
    bool known = false;
    for (int i = STATUS_UNKNOWN; i <= STATUS_NOT_SYNCHRONISED; i++) {
        known |= equals(field, clock_status_name((enum clock_status)i));
    }
    return known;
}

static bool is_sync_state(struct field field)
{
    bool known = false;
    for (int i = SYNC_UNKNOWN; i <= SYNC_UNREACHABLE; i++) {
        known |= equals(field, sync_state_name((enum sync_state)i));
    }
    return known;
}

static bool is_source(struct field field)
{
    bool known = false;
    for (int i = SOURCE_NONE; i <= SOURCE_SNTP; i++) {
        known |= equals(field, source_id_name((enum source_id)i));
    }
    return known;
}

static bool is_boot_id(struct field field)
{
    size_t i = 0;
    while (i < field.length && memchr("0123456789abcdef", field.text[i], 16) != NULL) {
        i++;
    }
    return field.length == 8 && i == 8;
}

// Only the alphabet of the event words: their values are for people and tools, not for recovery.
static bool is_event(struct field field)
{
    size_t i = 0;
    while (i < field.length && (unsigned char)field.text[i] > ' ' && field.text[i] < 0x7f) {
        i++;
    }
    return i == field.length;
}

static bool (*const column_checks[COLUMN_COUNT])(struct field field) = {
    [COLUMN_ELAPSED] = is_signed,       [COLUMN_ELAPSED_SYSTEM] = is_signed,
    [COLUMN_SYSTEM_TIME] = is_signed,   [COLUMN_CLOCK_DIFF] = is_nano,
    [COLUMN_STATUS] = is_status,        [COLUMN_BOOT_ID] = is_boot_id,
    [COLUMN_SEQ] = is_unsigned,         [COLUMN_ELAPSED_RAW] = is_signed,
    [COLUMN_READ_WINDOW] = is_unsigned, [COLUMN_SYNC_STATE] = is_sync_state,
    [COLUMN_SOURCE] = is_source,        [COLUMN_STRATUM] = is_stratum,
    [COLUMN_REF_AGE] = is_milli,        [COLUMN_LAST_OFFSET] = is_nano,
    [COLUMN_FREQ] = is_micro,           [COLUMN_ROOT_DELAY] = is_nano,
    [COLUMN_ROOT_DISPERSION] = is_nano, [COLUMN_ERROR_BOUND] = is_nano,
    [COLUMN_EVENT] = is_event,
};

// Splits a row at its commas; 0 when every field is what its column allows.
static int split_row(const char *row, size_t len, struct field fields[COLUMN_COUNT])
{
    const char *end = row + len;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const char *comma = memchr(row, ',', (size_t)(end - row));
        bool last = i == COLUMN_COUNT - 1;
        if (last != (comma == NULL)) {
            return -EBADMSG;
        }
        const char *stop = last ? end : comma;
        fields[i] = (struct field){row, (size_t)(stop - row)};
        if (!column_checks[i](fields[i])) {
            return -EBADMSG;
        }
        row = last ? end : comma + 1;
    }
    return 0;
}

// FIELD holds 1 to 20 digits. 0, or -EBADMSG beyond 64 bits.
static int parse_u64(struct field field, uint64_t *value)
{
    uint64_t v = 0;
    for (size_t i = 0; i < field.length; i++) {
        unsigned digit = (unsigned)(field.text[i] - '0');
        if (v > (UINT64_MAX - digit) / 10) {
            return -EBADMSG;
        }
        v = v * 10 + digit;
    }
    *value = v;
    return 0;
}

static uint32_t parse_boot_id(struct field field)
{
    uint32_t v = 0;
    for (size_t i = 0; i < field.length; i++) {
        char c = field.text[i];
        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return v;
}

int csv_parse_key(const char *row, size_t len, struct csv_key *key)
{
    struct field fields[COLUMN_COUNT];
    uint64_t seq;
    if (split_row(row, len, fields) != 0 || parse_u64(fields[COLUMN_SEQ], &seq) != 0) {
        return -EBADMSG;
    }
    *key = (struct csv_key){.boot_id = parse_boot_id(fields[COLUMN_BOOT_ID]), .seq = seq};
    return 0;
}

// The number behind WORD, which TEXT may begin with; 0 when it does not.
static uint64_t number_behind(struct field *text, const char *word)
{
    size_t length = strlen(word);
    if (text->length <= length || memcmp(text->text, word, length) != 0) {
        return 0;
    }
    struct field digits = {text->text + length, text->length - length};
    struct field rest = digits;
    digits.length = take_digits(&rest, DECIMAL_MAX);
    *text = rest;
    uint64_t value;
    return parse_u64(digits, &value) == 0 ? value : 0;
}

int csv_parse_losses(const char *row, size_t len, struct csv_losses *losses)
{
    struct field fields[COLUMN_COUNT];
    if (split_row(row, len, fields) != 0) {
        return -EBADMSG;
    }
    *losses = (struct csv_losses){0};
    struct field event = fields[COLUMN_EVENT];
    while (event.length > 0) {
        // Each word is there once at most; no word begins with the '-' between first and last.
        losses->dropped += number_behind(&event, "dropped=");
        losses->evicted_first += number_behind(&event, "evicted=");
        losses->evicted_last += number_behind(&event, "-");
        while (event.length > 0 && !take_char(&event, ';')) {
            event.text++;
            event.length--;
        }
    }
    return 0;
}

/* ---- the older logs' five columns ---- */

// "-12.345678901" to nanoseconds; absent is 0. FIELD passed is_nano. 0 or -EBADMSG.
static int parse_nano(struct field field, int64_t *ns)
{
    bool negative = take_char(&field, '-');
    uint64_t magnitude = 0;
    while (field.length > 0) {
        unsigned digit = (unsigned)(field.text[0] - '0');
        if (!take_char(&field, '.')) {
            if (magnitude > ((uint64_t)INT64_MAX + negative - digit) / 10) {
                return -EBADMSG;
            }
            magnitude = magnitude * 10 + digit;
            take_digits(&field, 1);
        }
    }
    *ns = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return 0;
}

// To the nearest microsecond, ties away from zero, as a reader of six decimals expects.
static int64_t round_us(int64_t ns)
{
    int64_t rest = ns % NS_PER_US;
    return ns / NS_PER_US + (rest >= NS_PER_US / 2) - (rest <= -NS_PER_US / 2);
}

int csv_project_legacy(char *out, const char *row, size_t len)
{
    struct field fields[COLUMN_COUNT];
    int64_t diff_ns;
    if (split_row(row, len, fields) != 0 || parse_nano(fields[COLUMN_CLOCK_DIFF], &diff_ns) != 0) {
        return -EBADMSG;
    }
    size_t unchanged = (size_t)(fields[COLUMN_CLOCK_DIFF].text - row);
    memcpy(out, row, unchanged);
    char *p = put_comma(decimal_put_micro(out + unchanged, round_us(diff_ns)));
    memcpy(p, fields[COLUMN_STATUS].text, fields[COLUMN_STATUS].length);
    p += fields[COLUMN_STATUS].length;
    *p++ = '\n';
    return (int)(p - out);
}
