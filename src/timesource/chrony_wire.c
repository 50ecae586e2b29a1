#include "timesource/chrony_wire.h"

#include "base/bytes.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define VERSION      6
#define TYPE_REQUEST 1
#define TYPE_REPLY   2

// Lowest version that can complain about ours: older daemons had another header.
#define VERSION_OLDEST 4

#define MODE_REFCLOCK 2

#define REQUEST_HEADER 20
#define REPLY_HEADER   28

/*
 * What each command sends and expects. A reply is never touched beyond the length given here, and
 * the request is padded to it, because chronyd answers nothing longer than it was asked with.
 */
static const struct command {
    uint16_t command;
    uint16_t reply_code;
    uint16_t reply_length;
    uint16_t has_index;
} commands[] = {
    {CHRONY_N_SOURCES, 2, 32, 0},   {CHRONY_SOURCE_DATA, 3, 76, 1}, {CHRONY_TRACKING, 5, 104, 0},
    {CHRONY_SOURCESTATS, 6, 84, 1}, {CHRONY_ACTIVITY, 12, 48, 0},
};

static const struct command *find_command(enum chrony_command command)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].command == (uint16_t)command) {
            return &commands[i];
        }
    }
    return NULL;
}

size_t chrony_request_encode(uint8_t *out, enum chrony_command command, uint32_t index,
                             uint32_t sequence)
{
    const struct command *known = find_command(command);
    memset(out, 0, CHRONY_REQUEST_MAX);
    if (known == NULL) {
        return 0;
    }
    out[0] = VERSION;
    out[1] = TYPE_REQUEST;
    bytes_put_u16(out + 4, known->command);
    bytes_put_u32(out + 8, sequence);
    if (known->has_index) {
        bytes_put_u32(out + REQUEST_HEADER, index);
    }
    return known->reply_length;
}

enum chrony_reply chrony_reply_check(const uint8_t *reply, size_t len, enum chrony_command command,
                                     uint32_t sequence, uint16_t *status)
{
    const struct command *known = find_command(command);
    if (known == NULL || len < REPLY_HEADER || reply[1] != TYPE_REPLY || reply[2] != 0 ||
        reply[3] != 0 || bytes_get_u16(reply + 4) != known->command ||
        bytes_get_u32(reply + 16) != sequence) {
        return CHRONY_REPLY_FOREIGN;
    }
    uint16_t code = bytes_get_u16(reply + 8);
    // A daemon of another version answers in its own, and says only that it does not understand.
    if (reply[0] != VERSION && !(reply[0] >= VERSION_OLDEST && code == CHRONY_BAD_VERSION)) {
        return CHRONY_REPLY_FOREIGN;
    }
    if (code != CHRONY_SUCCESS) {
        *status = code;
        return CHRONY_REPLY_REFUSED;
    }
    if (bytes_get_u16(reply + 6) != known->reply_code || len < known->reply_length) {
        return CHRONY_REPLY_MALFORMED;
    }
    return CHRONY_REPLY_GOOD;
}

double chrony_float_decode(uint32_t word)
{
    int exponent = (int)(word >> 25);
    if (exponent >= 64) {
        exponent -= 128;
    }
    int32_t coefficient = (int32_t)(word & 0x1ffffff);
    if (coefficient >= 0x1000000) {
        coefficient -= 0x2000000;
    }
    return ldexp(coefficient, exponent - 25);
}

static double get_float(const uint8_t *p)
{
    return chrony_float_decode(bytes_get_u32(p));
}

static void get_address(const uint8_t *p, struct report_address *out)
{
    memcpy(out->bytes, p, sizeof out->bytes);
    out->family = bytes_get_u16(p + 16);
}

// Seconds in two words; this high word says that there is none.
#define NO_HIGH_WORD 0x7fffffffu

static int64_t get_seconds(const uint8_t *p)
{
    uint32_t high = bytes_get_u32(p);
    if (high == NO_HIGH_WORD) {
        high = 0;
    }
    uint64_t seconds = (uint64_t)high << 32 | bytes_get_u32(p + 4);
    int64_t out;
    memcpy(&out, &seconds,
           sizeof out); // the same bits as two's complement, without a doubtful cast
    return out;
}

static uint32_t get_nanoseconds(const uint8_t *p)
{
    uint32_t ns = bytes_get_u32(p);
    return ns > 999999999u ? 999999999u : ns;
}

void chrony_decode_tracking(const uint8_t *reply, struct report_tracking *out)
{
    out->ref_id = bytes_get_u32(reply + 28);
    get_address(reply + 32, &out->address);
    out->stratum = bytes_get_u16(reply + 52);
    out->leap = bytes_get_u16(reply + 54);
    out->ref_time_s = get_seconds(reply + 56);
    out->ref_time_ns = get_nanoseconds(reply + 64);
    out->correction_s = get_float(reply + 68);
    out->last_offset_s = get_float(reply + 72);
    out->rms_offset_s = get_float(reply + 76);
    out->freq_ppm = get_float(reply + 80);
    out->resid_freq_ppm = get_float(reply + 84);
    out->skew_ppm = get_float(reply + 88);
    out->root_delay_s = get_float(reply + 92);
    out->root_dispersion_s = get_float(reply + 96);
    out->update_interval_s = get_float(reply + 100);
}

uint32_t chrony_decode_source_count(const uint8_t *reply)
{
    return bytes_get_u32(reply + 28);
}

void chrony_decode_source_data(const uint8_t *reply, struct report_source *out)
{
    get_address(reply + 28, &out->address);
    uint16_t poll = bytes_get_u16(reply + 48);
    memcpy(&out->poll_log2_s, &poll, sizeof poll);
    out->stratum = bytes_get_u16(reply + 50);
    out->state = bytes_get_u16(reply + 52);
    out->mode = bytes_get_u16(reply + 54);
    out->reach = bytes_get_u16(reply + 58);
    out->since_sample_s = bytes_get_u32(reply + 60);
    out->original_offset_s = get_float(reply + 64);
    out->adjusted_offset_s = get_float(reply + 68);
    out->offset_error_s = get_float(reply + 72);
}

// A reference clock is named by its ID: SOURCE_DATA shows that as an address, SOURCESTATS does not.
static bool is_same_source(const uint8_t *stats, const struct report_source *source)
{
    if (source->mode == MODE_REFCLOCK) {
        return memcmp(stats + 28, source->address.bytes, 4) == 0;
    }
    return memcmp(stats + 32, source->address.bytes, sizeof source->address.bytes) == 0;
}

void chrony_decode_sourcestats(const uint8_t *reply, struct report_source *out)
{
    out->stats_valid = is_same_source(reply, out);
    if (!out->stats_valid) {
        return;
    }
    out->samples = bytes_get_u32(reply + 52);
    out->runs = bytes_get_u32(reply + 56);
    out->span_s = bytes_get_u32(reply + 60);
    out->std_dev_s = get_float(reply + 64);
    out->resid_freq_ppm = get_float(reply + 68);
    out->skew_ppm = get_float(reply + 72);
    out->est_offset_s = get_float(reply + 76);
    out->est_offset_error_s = get_float(reply + 80);
}

void chrony_decode_activity(const uint8_t *reply, struct report_activity *out)
{
    out->online = bytes_get_u32(reply + 28);
    out->offline = bytes_get_u32(reply + 32);
    out->burst_online = bytes_get_u32(reply + 36);
    out->burst_offline = bytes_get_u32(reply + 40);
    out->unresolved = bytes_get_u32(reply + 44);
}
