#include "core/steps.h"

#include <math.h>

#define ROUNDING_NS 1000

// The largest slew rate of any daemon, chronyd's default maxslewrate of 83333 ppm.
#define SLEW_DIVISOR 12

#define ANCHOR_NS (8 * NS_PER_S)

void steps_init(struct step_detector *detector)
{
    *detector = (struct step_detector){0};
}

static int64_t magnitude(int64_t ns)
{
    return ns < 0 ? -ns : ns;
}

static void move_anchors(struct step_detector *d, const struct clock_reading *now)
{
    if (!d->has_anchors) {
        d->older_anchor = *now;
        d->newer_anchor = *now;
        d->has_anchors = true;
    } else if (now->raw.ns - d->newer_anchor.raw.ns >= ANCHOR_NS) {
        d->older_anchor = d->newer_anchor;
        d->newer_anchor = *now;
    }
}

// A candidate that was waiting is part of the same step: nothing stood still in between.
static void report(struct step_detector *d, const struct step *step, struct step *out)
{
    *out = *step;
    if (d->has_candidate) {
        out->size_ns += d->candidate.size_ns;
        out->uncertainty_ns += d->candidate.uncertainty_ns;
        out->before = d->candidate.before;
        d->has_candidate = false;
    }
}

static bool judge_still(struct step_detector *d, struct step *out)
{
    d->is_drifting = false;
    if (d->has_candidate) {
        *out = d->candidate;
        d->has_candidate = false;
        return true;
    }
    return false;
}

// A small change: the first one waits, a second one in a row is a drift.
static void judge_small_move(struct step_detector *d, const struct step *step)
{
    if (d->has_candidate) {
        d->has_candidate = false;
        d->is_drifting = true;
    } else if (!d->is_drifting) {
        d->candidate = *step;
        d->has_candidate = true;
    }
}

bool steps_observe(struct step_detector *detector, const struct clock_reading *now, bool was_set,
                   struct step *out)
{
    struct step_detector *d = detector;
    struct clock_reading last = d->last;
    bool is_first = !d->has_last;
    d->last = *now;
    d->has_last = true;
    move_anchors(d, now);
    if (is_first) {
        return false;
    }
    int64_t elapsed_ns = mono_diff_ns(now->mono, last.mono);
    struct step step = {
        .size_ns = (now->wall.ns - last.wall.ns) - elapsed_ns,
        .uncertainty_ns = (int64_t)now->window_ns / 2 + (int64_t)last.window_ns / 2 + ROUNDING_NS,
        .before = last.wall,
        .after = now->wall,
    };
    if (magnitude(step.size_ns) <= step.uncertainty_ns) {
        return judge_still(d, out);
    }
    if (was_set || magnitude(step.size_ns) > elapsed_ns / SLEW_DIVISOR + step.uncertainty_ns) {
        report(d, &step, out);
        return true;
    }
    judge_small_move(d, &step);
    return false;
}

bool steps_slew_ppt(const struct step_detector *detector, int64_t *ppt)
{
    const struct clock_reading *from = &detector->older_anchor;
    const struct clock_reading *to = &detector->last;
    int64_t raw_ns = to->raw.ns - from->raw.ns;
    if (!detector->has_anchors || raw_ns < NS_PER_S) {
        return false;
    }
    int64_t slewed_ns = mono_diff_ns(to->mono, from->mono) - raw_ns;
    *ppt = llround((double)slewed_ns / (double)raw_ns * 1e12);
    return true;
}
