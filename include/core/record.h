/*
 * THE noun: one sample of the camera's clock, as it travels from the sampler to the CSV row.
 *
 * Fixed size, no pointers, plain integers: it lives in a ring that may be mapped from a file and
 * read by the next process. docs/RECORD.md tells what each column means to a person.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/reading.h"

#include <assert.h>
#include <stdint.h>

/* Words of the `event` column. */
enum record_event {
    EVENT_START = 1u << 0,   /* first row of a run */
    EVENT_STEP = 1u << 1,    /* the wall clock jumped: step_ns */
    EVENT_GAP = 1u << 2,     /* ticks that were never sampled: gap_rows */
    EVENT_DROPPED = 1u << 3, /* records lost because the ring was full: dropped_rows */
    EVENT_EVICTED = 1u << 4, /* rows lost because the spool was full: evicted_first..evicted_last */
    EVENT_STATE = 1u << 5,   /* sync_state changed, from old_state */
};

/* Events worth an immediate commit: they are what the customer asks about. */
#define EVENTS_URGENT (EVENT_STEP | EVENT_STATE)

struct record {
    uint64_t seq;     /* record number within this boot, from 1; continues over restarts */
    uint32_t boot_id; /* the first 8 hex digits of the kernel's boot id */
    uint32_t valid;   /* VALID_* of core/reading.h */
    uint32_t events;  /* EVENT_* */
    uint32_t read_window_ns;

    int64_t mono_ns; /* the three clocks at this sample */
    int64_t raw_ns;
    int64_t wall_ns;
    /* Since the previous row of this run that reached the ring; 0 in a run's first row. */
    int64_t elapsed_mono_us;
    int64_t elapsed_wall_us; /* may be negative */
    int64_t elapsed_raw_ns;

    int64_t clock_diff_ns; /* from here on as in struct reading */
    int64_t ref_age_ns;
    int64_t last_offset_ns;
    int64_t freq_ppt;
    int64_t root_delay_ns;
    int64_t root_dispersion_ns;
    int64_t error_bound_ns;

    int64_t step_ns; /* + the clock was set forward */
    uint64_t evicted_first;
    uint64_t evicted_last;
    uint32_t gap_rows;
    uint32_t dropped_rows;

    uint16_t stratum;
    uint8_t status;     /* enum clock_status */
    uint8_t sync_state; /* enum sync_state */
    uint8_t old_state;  /* enum sync_state, with EVENT_STATE */
    uint8_t source;     /* enum source_id */
    uint8_t reserved[2];
};

static_assert(sizeof(struct record) == 168, "the ring's slots are shared between processes");
static_assert(sizeof(struct record) <= 256, "a record stays small");

#endif
