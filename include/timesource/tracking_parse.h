/*
 * Reads the text of `chronyc -n tracking` back, by its labels, whatever their order. Pure.
 */
#ifndef TIMESOURCE_TRACKING_PARSE_H
#define TIMESOURCE_TRACKING_PARSE_H

#include "core/report.h"

#include <stddef.h>

/*
 * TEXT has LEN bytes and need not be terminated. All 13 labels must be there, each with a value of
 * its form; lines with other labels are ignored. 0 or -EBADMSG; then OUT is undefined.
 */
int tracking_parse(const char *text, size_t len, struct report_tracking *out);

#endif
