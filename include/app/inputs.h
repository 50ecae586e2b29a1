/*
 * The settings on the command line and in the environment, out of others' sight.
 *
 * Both may hold secrets, and /proc shows a process's arguments to every user and its environment to
 * root and to crash reporters. So the values are copied, for rereads too, and what the kernel shows
 * is overwritten with asterisks, names and lengths left as they were.
 */
#ifndef APP_INPUTS_H
#define APP_INPUTS_H

#include "app/config_load.h"
#include "app/options.h"

/*
 * Fills INPUTS from OPTIONS and ENVIRONMENT, whose NTP_LOGGER_ settings alone it takes, and blanks
 * the values where they were. 0, or -ENOMEM: the program can only end then. Main thread, at start;
 * the copies live as long as the process.
 */
int inputs_take(struct config_inputs *inputs, const struct options *options,
                char *const *environment);

#endif
