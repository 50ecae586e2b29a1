#include "upload/lane.h"

#include <stdio.h>
#include <string.h>

#define PACE_MIN_MS   2000
#define PACE_MAX_MS   64000
#define PROBE_WAIT_MS (UINT32_C(15) * 60 * 1000)

void lane_reset(struct lane *lane)
{
    *lane = (struct lane){.pace_ms = 0};
}

uint32_t lane_hold_ms(const struct lane *lane, mono_time now)
{
    int64_t left_ns = mono_diff_ns(lane->not_before, now);
    return left_ns <= 0 ? 0 : (uint32_t)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void hold(struct lane *lane, mono_time now, uint32_t wait_ms)
{
    lane->not_before = mono_add(now, (int64_t)wait_ms * NS_PER_MS);
}

// Each ACK halves the distance between segments that a throttling server had doubled.
static enum delivery_verdict acknowledge(struct lane *lane, mono_time now)
{
    backoff_reset(&lane->backoff);
    lane->refused = 0;
    lane->data_tries = 0;
    hold(lane, now, lane->pace_ms);
    lane->pace_ms = lane->pace_ms > PACE_MIN_MS ? lane->pace_ms / 2 : 0;
    return DELIVERY_ACKNOWLEDGED;
}

static void slow_down(struct lane *lane)
{
    uint32_t doubled = lane->pace_ms * 2;
    doubled = doubled > PACE_MIN_MS ? doubled : PACE_MIN_MS;
    lane->pace_ms = doubled < PACE_MAX_MS ? doubled : PACE_MAX_MS;
}

// Counts tries of one segment; a different one starts anew.
static bool suspect_exhausted(struct lane *lane, const char *name)
{
    const char *text = name != NULL ? name : "";
    if (strncmp(lane->suspect, text, sizeof lane->suspect - 1) != 0) {
        snprintf(lane->suspect, sizeof lane->suspect, "%s", text);
        lane->data_tries = 0;
    }
    lane->data_tries++;
    if (lane->data_tries < LANE_DATA_TRIES) {
        return false;
    }
    lane->data_tries = 0;
    return true;
}

static bool segment_is_at_fault(struct lane *lane, enum outcome_scope scope, const char *name)
{
    return scope == SCOPE_SEGMENT || (scope == SCOPE_SUSPECT && suspect_exhausted(lane, name));
}

// The others go first, unless the server refuses them all: then one probe per quarter of an hour.
static enum delivery_verdict set_aside(struct lane *lane, mono_time now)
{
    lane->refused += lane->refused < LANE_REFUSED_MAX;
    if (lane->refused == LANE_REFUSED_MAX) {
        hold(lane, now, PROBE_WAIT_MS);
    }
    return DELIVERY_LATER;
}

enum delivery_verdict lane_settle(struct lane *lane, const struct lane_event *event,
                                  uint32_t *retry_in_ms)
{
    const struct outcome_action *action = outcome_action(event->outcome);
    *retry_in_ms = 0;
    if (event->outcome == OUTCOME_ACK) {
        return acknowledge(lane, event->now);
    }
    if (event->outcome == OUTCOME_SHUTDOWN) {
        return DELIVERY_ABORTED;
    }
    if (event->outcome == OUTCOME_THROTTLE) {
        slow_down(lane);
    }
    *retry_in_ms =
        backoff_next_ms(&lane->backoff, action->wait, event->retry_after_s, event->random);
    if (segment_is_at_fault(lane, action->scope, event->name)) {
        return set_aside(lane, event->now);
    }
    hold(lane, event->now, *retry_in_ms);
    return DELIVERY_RETRY;
}
