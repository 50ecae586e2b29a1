/*
 * Steps and slews of the wall clock, found in successive readings of the three clocks.
 *
 * The kernel disciplines REALTIME and MONOTONIC with one and the same rate, so their difference is
 * constant to the nanosecond between steps: a step is a change of it beyond what the two readings
 * leave uncertain,
 *
 *     |d(k) - d(k-1)| > w(k)/2 + w(k-1)/2 + 1 us,   d = REALTIME - MONOTONIC, w = read window.
 *
 * A slew moves both clocks together, whatever its rate, and shows against MONOTONIC_RAW alone.
 *
 * Where something other than the kernel bends REALTIME (a virtual clock), d drifts. So a change
 * that a slew of 1/12 (chronyd's largest) could explain, and that the kernel did not announce,
 * waits for the next reading: it was a step if the clock then stands still, and a slew if it moves
 * on.
 *
 * Pure, nothing allocated. One thread.
 */
#ifndef CORE_STEPS_H
#define CORE_STEPS_H

#include "core/clocks.h"

#include <stdbool.h>
#include <stdint.h>

struct step {
    int64_t size_ns; /* + the clock was set forward */
    int64_t uncertainty_ns;
    wall_time before; /* the last reading of the clock before the step */
    wall_time after;  /* the first one after it */
};

struct step_detector {
    bool has_last;
    bool is_drifting; /* the clock moves against MONOTONIC reading by reading */
    bool has_candidate;
    struct clock_reading last;
    struct step candidate;
    bool has_anchors;
    struct clock_reading older_anchor;
    struct clock_reading newer_anchor;
};

void steps_init(struct step_detector *detector);

/*
 * Takes the next reading; WAS_SET: the kernel said (core/step_watch.h) that the clock was set since
 * the one before. True when a step is certain now: *OUT describes it. It may lie one reading back.
 */
bool steps_observe(struct step_detector *detector, const struct clock_reading *now, bool was_set,
                   struct step *out);

/*
 * The rate of MONOTONIC against the bare crystal over the last 8..16 s, in parts per 10^12; + the
 * clock is run faster than the crystal. It contains the steady correction of the crystal's own
 * error. False while less than 1 s was seen.
 */
bool steps_slew_ppt(const struct step_detector *detector, int64_t *ppt);

#endif
