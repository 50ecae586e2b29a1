/*
 * What stands in the status files below the 13 lines of tracking_text: sources, their statistics,
 * activity, the kernel, SNTP probes and the replies counted, in plain aligned text.
 *
 * Positive offsets everywhere: our clock is ahead. Pure; any
 * thread.
 */
#ifndef TIMESOURCE_REPORT_TEXT_H
#define TIMESOURCE_REPORT_TEXT_H

#include "core/report.h"

#include <stddef.h>

/* Enough for a full report. */
#define REPORT_TEXT_MAX 16384

/* Writes the sections that REPORT has, at most CAP bytes with the terminator; returns the length.
 */
size_t report_text(char *out, size_t cap, const struct source_report *report);

#endif
