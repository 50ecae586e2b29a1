/*
 * One reading of the three clocks inside a bracket of two MONOTONIC reads.
 *
 * No reading without its uncertainty: the clocks are read between two MONOTONIC reads, a few times,
 * the tightest bracket is kept, and its width goes with the values. Each value belongs to the
 * middle of the bracket, to within half the width.
 */
#ifndef CORE_CLOCKS_H
#define CORE_CLOCKS_H

#include "base/nstime.h"

struct clock_reading {
    mono_time mono; /* the middle of the bracket */
    raw_time raw;
    wall_time wall;
    uint32_t window_ns; /* width of the bracket; UINT32_MAX when over 4 s */
};

/* Reads the clocks. Any thread; no system call where the vDSO has all three clocks. */
struct clock_reading clocks_read(void);

#endif
