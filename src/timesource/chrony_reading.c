#include "timesource/chrony_reading.h"

#include <math.h>

#define OFFSET_MAX_S   4294967296.0
#define DISTANCE_MAX_S 65536.0
#define FREQ_MAX_PPM   1e6
#define INTERVAL_MAX_S 33554432.0

#define LEAP_NOT_SYNCHRONISED 3

// The reference ID of chronyd's `local` mode, 127.127.1.1; a real source has an address as well.
#define REF_ID_LOCAL 0x7f7f0101u

// At the first sight: the oldest reference that a daemon which still runs may show.
#define FIRST_AGE_MAX_S (366 * INT64_C(86400))

static enum clock_status status_of_leap(uint16_t leap)
{
    static const enum clock_status known[] = {STATUS_NORMAL, STATUS_INSERT_SECOND,
                                              STATUS_DELETE_SECOND, STATUS_NOT_SYNCHRONISED};
    return leap <= LEAP_NOT_SYNCHRONISED ? known[leap] : STATUS_UNKNOWN;
}

static bool has_reference(const struct report_tracking *tracking)
{
    return tracking->address.family != FAMILY_NONE ||
           (tracking->ref_id != 0 && tracking->ref_id != REF_ID_LOCAL);
}

// Sets *OUT and BIT when MIN <= VALUE <= MAX; a NaN fails both comparisons. MAX * SCALE fits.
static void take(struct reading *reading, enum reading_valid bit, double value, double min,
                 double max, double scale, int64_t *out)
{
    if (value >= min && value <= max) {
        *out = llround(value * scale);
        reading->valid |= bit;
    }
}

static void take_error_bound(struct reading *r)
{
    const uint32_t parts = VALID_CLOCK_DIFF | VALID_ROOT_DELAY | VALID_ROOT_DISPERSION;
    if ((r->valid & parts) == parts) {
        int64_t magnitude_ns = r->clock_diff_ns < 0 ? -r->clock_diff_ns : r->clock_diff_ns;
        r->error_bound_ns = magnitude_ns + r->root_dispersion_ns + r->root_delay_ns / 2;
        r->valid |= VALID_ERROR_BOUND;
    }
}

void chrony_reading(const struct report_tracking *tracking, struct reading *out)
{
    *out = (struct reading){.status = status_of_leap(tracking->leap), .daemon_answered = true};
    if (out->status == STATUS_UNKNOWN || out->status == STATUS_NOT_SYNCHRONISED) {
        return;
    }
    out->stratum = tracking->stratum;
    out->valid |= VALID_STRATUM;
    out->local_only = !has_reference(tracking);
    if (out->local_only) {
        return; // its 0 is no measurement: there is nothing to differ from
    }
    // chronyd's correction is what the clock lacks; ours is what it has too much.
    take(out, VALID_CLOCK_DIFF, -tracking->correction_s, -OFFSET_MAX_S, OFFSET_MAX_S, 1e9,
         &out->clock_diff_ns);
    take(out, VALID_LAST_OFFSET, tracking->last_offset_s, -OFFSET_MAX_S, OFFSET_MAX_S, 1e9,
         &out->last_offset_ns);
    take(out, VALID_FREQ, tracking->freq_ppm, -FREQ_MAX_PPM, FREQ_MAX_PPM, 1e6, &out->freq_ppt);
    take(out, VALID_ROOT_DELAY, tracking->root_delay_s, 0, DISTANCE_MAX_S, 1e9,
         &out->root_delay_ns);
    take(out, VALID_ROOT_DISPERSION, tracking->root_dispersion_s, 0, DISTANCE_MAX_S, 1e9,
         &out->root_dispersion_ns);
    take_error_bound(out);
}

bool chrony_interval_ns(double seconds, int64_t *ns)
{
    if (!(seconds > 0 && seconds <= INTERVAL_MAX_S)) {
        return false;
    }
    *ns = llround(seconds * 1e9);
    return true;
}

// Time since the reference time on the clock as chronyd has corrected it; negative if not sane.
static int64_t age_by_wall_ns(const struct report_tracking *tracking, wall_time wall)
{
    double correction_s = tracking->correction_s;
    if (!(fabs(correction_s) <= OFFSET_MAX_S)) {
        correction_s = 0;
    }
    int64_t now_ns = wall.ns + llround(correction_s * 1e9);
    // In whole seconds first: the reference time is any 64-bit number, and nothing may overflow.
    int64_t now_s = now_ns / NS_PER_S;
    if (tracking->ref_time_s > now_s || tracking->ref_time_s < now_s - FIRST_AGE_MAX_S) {
        return -1;
    }
    return now_ns - (tracking->ref_time_s * NS_PER_S + tracking->ref_time_ns);
}

int64_t ref_age_update(struct ref_age *age, const struct report_tracking *tracking, mono_time now,
                       wall_time wall)
{
    bool same = age->known && age->ref_time_s == tracking->ref_time_s &&
                age->ref_time_ns == tracking->ref_time_ns;
    if (!same) {
        int64_t age_ns = age_by_wall_ns(tracking, wall);
        int64_t since_look_ns = age->known ? mono_diff_ns(now, age->looked) : INT64_MAX;
        if (age_ns < 0) {
            age_ns = 0;
        }
        if (age_ns > since_look_ns) {
            age_ns = since_look_ns;
        }
        age->since = mono_add(now, -age_ns);
        age->ref_time_s = tracking->ref_time_s;
        age->ref_time_ns = tracking->ref_time_ns;
        age->known = true;
    }
    age->looked = now;
    return mono_diff_ns(now, age->since);
}
