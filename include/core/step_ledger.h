/*
 * The last steps of the wall clock, and their table `time_steps.csv`: with it the time stamps of
 * recordings already made can be corrected.
 *
 *   instant_before,instant_after,size_s,direction,sync_state,boot_id,seq
 *
 * instant_before is the last reading of the clock before the step, instant_after the first one
 * after it (ISO 8601, UTC, microseconds, each as the clock then showed it): a stamp made up to the
 * first lacks size_s, in seconds with 9 decimals and sign. seq is that of the row with `step=`.
 *
 * Plain data of fixed size, nothing allocated. One thread; copies may go anywhere.
 */
#ifndef CORE_STEP_LEDGER_H
#define CORE_STEP_LEDGER_H

#include "core/reading.h"
#include "core/steps.h"

#include <stddef.h>
#include <stdint.h>

#define STEP_LEDGER_MAX      32
#define STEP_LEDGER_TEXT_MAX 4608

struct step_entry {
    struct step step;
    uint64_t seq;
    uint32_t boot_id;
    uint32_t sync_state; /* enum sync_state, when the step was found */
};

struct step_ledger {
    uint64_t count; /* steps ever added; the newest STEP_LEDGER_MAX are kept */
    struct step_entry entries[STEP_LEDGER_MAX];
};

void step_ledger_add(struct step_ledger *ledger, const struct step_entry *entry);

/*
 * Writes the table, header first and oldest step next, at most CAP bytes with the terminator.
 * Returns the length. STEP_LEDGER_TEXT_MAX holds any ledger.
 */
size_t step_ledger_text(char *out, size_t cap, const struct step_ledger *ledger);

#endif
