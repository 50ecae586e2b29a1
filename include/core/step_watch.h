/*
 * Hears at once that the wall clock was set: a timerfd with TFD_TIMER_CANCEL_ON_SET.
 *
 * It tells that, not how much: the next reading of the clocks tells the size. Slews do not ring it.
 * Several sets between two takes are one. Needs no privilege. One thread.
 */
#ifndef CORE_STEP_WATCH_H
#define CORE_STEP_WATCH_H

#include <stdbool.h>

struct step_watch {
    int fd; /* readable (POLLIN) once the clock was set; -1 = not open */
};

/* 0 or -errno; then watch->fd is -1, and the other functions do nothing. */
int step_watch_open(struct step_watch *watch);
void step_watch_close(struct step_watch *watch);

/* True when the clock was set since the last call; listens again. Never blocks. */
bool step_watch_take(struct step_watch *watch);

#endif
