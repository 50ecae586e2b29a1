/*
 * --probe: what every time source says now, in words or as JSON, on stdout.
 */
#ifndef APP_PROBE_H
#define APP_PROBE_H

#include "app/config.h"

#include <stdbool.h>

/*
 * Asks until all that may answer has, for 2 s at most. Exit code: 0 the clock is synchronised, 1 it
 * is not or is in doubt, 2 nothing answered that can tell.
 */
int probe_run(const struct config *config, bool as_json);

#endif
