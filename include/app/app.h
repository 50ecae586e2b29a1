/*
 * The whole program: builds every part, starts them in order, stops them in order. The only place
 * that knows everybody. Main thread.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include "app/config_load.h"

#include <stdint.h>

/*
 * Runs until SIGTERM, SIGINT or DURATION_S seconds (0 = no limit). INPUTS is kept for rereading.
 * Returns the process's exit code: 0 stopped in order with every row durable, 1 not started or the
 * last rows could not be saved.
 */
int app_run(const struct config *config, const struct config_inputs *inputs, uint32_t duration_s);

#endif
