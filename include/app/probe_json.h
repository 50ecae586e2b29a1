/*
 * A reading, the verdict on it and the sources' long form as one JSON object.
 *
 * Offsets have our sign (positive: the clock is fast); what is not known is null, never 0.
 */
#ifndef APP_PROBE_JSON_H
#define APP_PROBE_JSON_H

#include "core/reading.h"
#include "core/report.h"

/* The text, to be freed by the caller; NULL when memory is short. */
char *probe_json(const struct reading *reading, enum sync_state state,
                 const struct source_report *report);

#endif
