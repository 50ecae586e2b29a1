/* A time source that says what a table says, through the real interface. */
#ifndef FAKE_TIMESOURCE_H
#define FAKE_TIMESOURCE_H

#include "core/timesource.h"

/* Reads whose instants are kept. */
#define FAKE_INSTANTS 64

struct fake_timesource {
    struct timesource source;
    const struct reading *script; /* repeats its last entry */
    const int *errors;            /* same length; 0 = the reading is given */
    size_t length;
    size_t next;
    int64_t longest_budget_ns; /* the largest deadline - now that was offered */
    bool answers_ahead;        /* set by the test: may be asked ahead */
    size_t asked_ahead;
    size_t reads;
    mono_time asked_at[FAKE_INSTANTS];
    mono_time read_at[FAKE_INSTANTS];
};

void fake_timesource_init(struct fake_timesource *fake, const struct reading *script,
                          const int *errors, size_t length);

#endif
