/*
 * The time source that runs `chronyc -n tracking`, for daemons that do not talk to us directly: UDP
 * closed (`cmdport 0`) or tracking refused, while chronyc may use the daemon's Unix socket.
 *
 * A run never blocks a tick: it is started at one read and collected at a later one, bounded in
 * output and killed at its deadline. Between runs the last result stands, as old as it is. Runs are
 * 10 s apart while they succeed, and rarer the longer they fail. One thread.
 */
#ifndef TIMESOURCE_CHRONYC_H
#define TIMESOURCE_CHRONYC_H

#include "core/timesource.h"

#include <stdbool.h>

/*
 * PATH is the program. ADDRESS ("host:port") names the daemon for it; NULL, "" or the default
 * 127.0.0.1:323 leaves the choice to chronyc, whose first one is the Unix socket. 0, -EINVAL for a
 * malformed ADDRESS, -ENOMEM. A program that is not there is no error now: reads return -ENOENT.
 */
int chronyc_open(struct timesource **source, const char *path, const char *address);

/* True when the program is there: then a chronyd belongs to this machine. */
bool chronyc_is_installed(const struct timesource *source);

/* Collects a run under way, starts none: for when another way to the daemon works again. */
void chronyc_settle(struct timesource *source);

#endif
