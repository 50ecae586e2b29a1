/*
 * The 13 lines of `chronyc -n tracking`, byte for byte, from the same reply.
 *
 * The program stays in the "C" locale (nothing here calls setlocale), as chronyc does; the calendar
 * is computed, so no time zone can touch it. Pure; any thread.
 */
#ifndef TIMESOURCE_TRACKING_TEXT_H
#define TIMESOURCE_TRACKING_TEXT_H

#include "core/report.h"

#include <stddef.h>

/* Enough for any reply. */
#define TRACKING_TEXT_MAX 1024

/* The longest name of an address or reference ID, with its terminator. */
#define TRACKING_NAME_MAX 64

/* Writes at most CAP bytes with the terminator; returns the length without it. */
size_t tracking_text(char *out, size_t cap, const struct report_tracking *tracking);

/* A source as `chronyc -n` names it: numeric address, or the printable bytes of REF_ID. */
void tracking_source_name(char out[TRACKING_NAME_MAX], const struct report_address *address,
                          uint32_t ref_id);

/* The same for a source in the daemon's list, where a reference clock shows its ID as address. */
void tracking_listed_name(char out[TRACKING_NAME_MAX], const struct report_source *source);

/* The words for a daemon's codes; never NULL. */
const char *tracking_leap_name(uint16_t leap);   /* "Normal", ..., "Invalid" */
const char *tracking_mode_name(uint16_t mode);   /* "server", "peer", "refclock" */
const char *tracking_state_name(uint16_t state); /* "selected", ..., "selectable" */

#endif
