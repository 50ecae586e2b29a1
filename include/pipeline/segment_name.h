/*
 * A name that says which rows a segment holds: boot id, first and last seq. Where each segment has
 * a key of its own, sending one twice then overwrites itself and nothing else.
 */
#ifndef PIPELINE_SEGMENT_NAME_H
#define PIPELINE_SEGMENT_NAME_H

#include "pipeline/spool.h"

#include <stddef.h>

#define SEGMENT_NAME_MAX 64

/*
 * Writes "time_log-1a2b3c4d-0000000001-0000003600.csv" to OUT (SEGMENT_NAME_MAX bytes), from the
 * first and the last row of the open FD. A segment whose rows can't be read is named by its number.
 */
void segment_name(int fd, const struct spool_segment *segment, char *out);

#endif
