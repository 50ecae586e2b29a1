#include "timesource/tracking_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 160

// A line is "Label           : value"; a value never contains the separator, a label neither.
#define SEPARATOR " : "

// Reads a plain decimal number and what follows it; strtod alone would take "nan" and "0x1p9".
static bool parse_number(const char *text, double *out, const char **rest)
{
    char *end;
    size_t plain = strspn(text, "+-.0123456789");
    *out = strtod(text, &end);
    *rest = end;
    return plain > 0 && end == text + plain && isfinite(*out);
}

static bool parse_unit(const char *text, const char *unit, double *out)
{
    const char *rest;
    return parse_number(text, out, &rest) && strcmp(rest, unit) == 0;
}

static bool parse_seconds(const char *text, void *out)
{
    return parse_unit(text, " seconds", out);
}

static bool parse_ppm(const char *text, void *out)
{
    return parse_unit(text, " ppm", out);
}

// "0.05 seconds slow of NTP time": PLUS is what follows a positive value.
static bool parse_worded(const char *text, const char *plus, const char *minus, double *out)
{
    const char *rest;
    if (!parse_number(text, out, &rest)) {
        return false;
    }
    if (strcmp(rest, minus) == 0) {
        *out = -*out;
        return true;
    }
    return strcmp(rest, plus) == 0;
}

static bool parse_correction(const char *text, void *out)
{
    return parse_worded(text, " seconds slow of NTP time", " seconds fast of NTP time", out);
}

static bool parse_frequency(const char *text, void *out)
{
    return parse_worded(text, " ppm fast", " ppm slow", out);
}

static bool parse_reference(const char *text, void *at)
{
    struct report_tracking *out = at; // fills the ID and the address
    char id[40];
    char name[80] = "";
    if (sscanf(text, "%39s (%79[^)])", id, name) < 1) {
        return false;
    }
    char *end;
    struct in_addr dotted;
    out->ref_id = (uint32_t)strtoul(id, &end, 16);
    if (strlen(id) != 8 || *end != '\0') {
        if (inet_pton(AF_INET, id, &dotted) != 1) { // as chronyc before 3.0 wrote it
            return false;
        }
        out->ref_id = ntohl(dotted.s_addr);
    }
    if (inet_pton(AF_INET, name, out->address.bytes) == 1) {
        out->address.family = FAMILY_IPV4;
    } else if (inet_pton(AF_INET6, name, out->address.bytes) == 1) {
        out->address.family = FAMILY_IPV6;
    }
    return true;
}

static bool parse_stratum(const char *text, void *at)
{
    uint16_t *out = at;
    char *end;
    unsigned long stratum = strtoul(text, &end, 10);
    *out = (uint16_t)stratum;
    return *text >= '0' && *text <= '9' && *end == '\0' && stratum <= UINT16_MAX;
}

static bool parse_time(const char *text, void *at)
{
    int64_t *out = at;
    struct tm tm = {0};
    const char *rest = strptime(text, "%a %b %d %H:%M:%S %Y", &tm);
    *out = timegm(&tm);
    return rest != NULL && *rest == '\0';
}

static bool parse_leap(const char *text, void *at)
{
    uint16_t *out = at;
    static const char *const names[] = {"Normal", "Insert second", "Delete second",
                                        "Not synchronised", "Invalid"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (uint16_t)i;
            return true;
        }
    }
    return false;
}

static const struct field {
    const char *label;
    bool (*parse)(const char *text, void *at);
    size_t offset; // of what it fills
} fields[] = {
    {"Reference ID", parse_reference, 0},
    {"Stratum", parse_stratum, offsetof(struct report_tracking, stratum)},
    {"Ref time (UTC)", parse_time, offsetof(struct report_tracking, ref_time_s)},
    {"System time", parse_correction, offsetof(struct report_tracking, correction_s)},
    {"Last offset", parse_seconds, offsetof(struct report_tracking, last_offset_s)},
    {"RMS offset", parse_seconds, offsetof(struct report_tracking, rms_offset_s)},
    {"Frequency", parse_frequency, offsetof(struct report_tracking, freq_ppm)},
    {"Residual freq", parse_ppm, offsetof(struct report_tracking, resid_freq_ppm)},
    {"Skew", parse_ppm, offsetof(struct report_tracking, skew_ppm)},
    {"Root delay", parse_seconds, offsetof(struct report_tracking, root_delay_s)},
    {"Root dispersion", parse_seconds, offsetof(struct report_tracking, root_dispersion_s)},
    {"Update interval", parse_seconds, offsetof(struct report_tracking, update_interval_s)},
    {"Leap status", parse_leap, offsetof(struct report_tracking, leap)},
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])

// Cuts LINE into label and value; false when it is no such line.
static bool split_line(char *line, char **value)
{
    char *at = strstr(line, SEPARATOR);
    if (at == NULL) {
        return false;
    }
    *value = at + strlen(SEPARATOR);
    while (at > line && at[-1] == ' ') {
        at--;
    }
    *at = '\0';
    return true;
}

// Sets the bit of the field that LINE fills. False when a known label has a bad value.
static bool parse_line(char *line, unsigned *seen, struct report_tracking *out)
{
    char *value;
    if (!split_line(line, &value)) {
        return true;
    }
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(line, fields[i].label) == 0) {
            *seen |= 1u << i;
            return fields[i].parse(value, (char *)out + fields[i].offset);
        }
    }
    return true;
}

int tracking_parse(const char *text, size_t len, struct report_tracking *out)
{
    const char *end = text + len;
    unsigned seen = 0;
    memset(out, 0, sizeof *out);
    while (text < end) {
        char line[LINE_MAX_BYTES];
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline != NULL ? newline : end) - text);
        if (length >= sizeof line || memchr(text, '\0', length) != NULL) {
            return -EBADMSG;
        }
        memcpy(line, text, length);
        line[length] = '\0';
        if (!parse_line(line, &seen, out)) {
            return -EBADMSG;
        }
        text += length + (newline != NULL ? 1 : 0);
    }
    return seen == (1u << FIELD_COUNT) - 1 ? 0 : -EBADMSG;
}
