/*
 * A sealed segment as older tools want it: five columns, no header.
 *
 * Made when the segment is sent, from the rich rows that stay in the spool, so that the same
 * segment always gives the same bytes. Uploader thread.
 */
#ifndef PIPELINE_PROJECTION_H
#define PIPELINE_PROJECTION_H

#include <stdint.h>

/*
 * Writes the legacy form of the segment at IN_FD (read from offset 0) into a nameless file in DIR.
 * 0, then *out_fd is open for reading and *out_size its length; else -errno. Rows that are not ours
 * are left out.
 */
int projection_legacy(int in_fd, const char *dir, int *out_fd, uint64_t *out_size);

#endif
