#include "timesource/tracking_text.h"

#include "base/bytes.h"
#include "base/calendar.h"
#include "base/textbuf.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define MODE_REFCLOCK 2

static void add_date(struct textbuf *text, int64_t seconds)
{
    static const char weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct calendar_date date = calendar_from_seconds(seconds);
    if (date.year - 1900 < INT_MIN || date.year - 1900 > INT_MAX) {
        return; // chronyc's gmtime gives up here, and it prints nothing
    }
    textbuf_printf(text, "%s %s %02d %02d:%02d:%02d %" PRId64, weekdays[date.weekday],
                   months[date.month - 1], date.day, date.hour, date.minute, date.second,
                   date.year);
}

static void name_ref_id(char *out, uint32_t ref_id)
{
    size_t length = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        char c = (char)(ref_id >> shift & 0x7f);
        bool is_ascii = (ref_id >> shift & 0x80) == 0;
        if (is_ascii && c >= 0x20 && c <= 0x7e) {
            out[length++] = c;
        }
    }
    out[length] = '\0';
}

void tracking_source_name(char out[TRACKING_NAME_MAX], const struct report_address *address,
                          uint32_t ref_id)
{
    switch (address->family) {
    case FAMILY_IPV4:
        inet_ntop(AF_INET, address->bytes, out, TRACKING_NAME_MAX);
        return;
    case FAMILY_IPV6:
        inet_ntop(AF_INET6, address->bytes, out, TRACKING_NAME_MAX);
        return;
    case FAMILY_ID:
        snprintf(out, TRACKING_NAME_MAX, "ID#%010" PRIu32, bytes_get_u32(address->bytes));
        return;
    case FAMILY_NONE:
        name_ref_id(out, ref_id);
        return;
    default:
        snprintf(out, TRACKING_NAME_MAX, "[UNKNOWN]");
    }
}

void tracking_listed_name(char out[TRACKING_NAME_MAX], const struct report_source *source)
{
    struct report_address address = source->address;
    uint32_t ref_id = bytes_get_u32(source->address.bytes);
    if (source->mode == MODE_REFCLOCK) {
        address.family = FAMILY_NONE;
    }
    tracking_source_name(out, &address, ref_id);
}

const char *tracking_leap_name(uint16_t leap)
{
    static const char *const names[] = {"Normal", "Insert second", "Delete second",
                                        "Not synchronised"};
    return leap < sizeof names / sizeof names[0] ? names[leap] : "Invalid";
}

const char *tracking_mode_name(uint16_t mode)
{
    static const char *const names[] = {"server", "peer", "refclock"};
    return mode < sizeof names / sizeof names[0] ? names[mode] : "invalid";
}

const char *tracking_state_name(uint16_t state)
{
    static const char *const names[] = {"selected", "unusable", "falseticker",
                                        "jittery",  "combined", "selectable"};
    return state < sizeof names / sizeof names[0] ? names[state] : "invalid";
}

size_t tracking_text(char *out, size_t cap, const struct report_tracking *t)
{
    struct textbuf text = textbuf_over(out, cap);
    char name[TRACKING_NAME_MAX];
    tracking_source_name(name, &t->address, t->ref_id);
    textbuf_printf(&text, "Reference ID    : %08" PRIX32 " (%s)\n", t->ref_id, name);
    textbuf_printf(&text, "Stratum         : %u\n", t->stratum);
    textbuf_printf(&text, "Ref time (UTC)  : ");
    add_date(&text, t->ref_time_s);
    textbuf_printf(&text, "\nSystem time     : %.9f seconds %s of NTP time\n",
                   fabs(t->correction_s), t->correction_s > 0 ? "slow" : "fast");
    textbuf_printf(&text, "Last offset     : %+.9f seconds\n", t->last_offset_s);
    textbuf_printf(&text, "RMS offset      : %.9f seconds\n", t->rms_offset_s);
    textbuf_printf(&text, "Frequency       : %.3f ppm %s\n", fabs(t->freq_ppm),
                   t->freq_ppm > 0 ? "fast" : "slow");
    textbuf_printf(&text, "Residual freq   : %+.3f ppm\n", t->resid_freq_ppm);
    textbuf_printf(&text, "Skew            : %.3f ppm\n", t->skew_ppm);
    textbuf_printf(&text, "Root delay      : %.9f seconds\n", t->root_delay_s);
    textbuf_printf(&text, "Root dispersion : %.9f seconds\n", t->root_dispersion_s);
    textbuf_printf(&text, "Update interval : %.1f seconds\n", t->update_interval_s);
    textbuf_printf(&text, "Leap status     : %s\n", tracking_leap_name(t->leap));
    return text.used;
}
