#include "core/verdict.h"

static bool is_good_status(enum clock_status status)
{
    return status == STATUS_NORMAL || status == STATUS_INSERT_SECOND ||
           status == STATUS_DELETE_SECOND;
}

// Divides the age instead of multiplying the interval: no value of either can overflow.
static bool is_stale(const struct reading *reading)
{
    if ((reading->valid & VALID_REACH) != 0 && !reading->reachable) {
        return true;
    }
    const uint32_t needed = VALID_REF_AGE | VALID_UPDATE_INTERVAL;
    if ((reading->valid & needed) != needed) {
        return false;
    }
    int64_t interval_ns = reading->update_interval_ns < VERDICT_INTERVAL_MIN_NS
                              ? VERDICT_INTERVAL_MIN_NS
                              : reading->update_interval_ns;
    return reading->ref_age_ns / VERDICT_INTERVALS >= interval_ns;
}

// error_bound holds abs(clock_diff): what lies beyond it is the measurement's own uncertainty.
static bool is_held(const struct reading *reading)
{
    const uint32_t needed = VALID_CLOCK_DIFF | VALID_ERROR_BOUND;
    if ((reading->valid & needed) != needed) {
        return false;
    }
    int64_t magnitude_ns =
        reading->clock_diff_ns < 0 ? -reading->clock_diff_ns : reading->clock_diff_ns;
    int64_t uncertainty_ns = reading->error_bound_ns - magnitude_ns;
    return magnitude_ns - VERDICT_HELD_NS <= uncertainty_ns;
}

static enum sync_state judge_good(const struct reading *reading)
{
    if (reading->contradicted || (reading->source == SOURCE_SNTP && !is_held(reading))) {
        return SYNC_UNSYNCED;
    }
    return is_stale(reading) ? SYNC_COASTING : SYNC_SYNCED;
}

static enum sync_state judge_without_daemon(const struct reading *reading)
{
    if (reading->daemon_expected || !is_good_status(reading->status)) {
        return SYNC_UNREACHABLE;
    }
    return judge_good(reading);
}

enum sync_state verdict_judge(const struct reading *reading)
{
    if (!reading->daemon_answered) {
        return judge_without_daemon(reading);
    }
    if (reading->status == STATUS_NOT_SYNCHRONISED || reading->local_only) {
        return SYNC_UNSYNCED;
    }
    return is_good_status(reading->status) ? judge_good(reading) : SYNC_UNKNOWN;
}
