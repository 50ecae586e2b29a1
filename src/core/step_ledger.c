#include "core/step_ledger.h"

#include "base/calendar.h"
#include "base/textbuf.h"

#include <inttypes.h>

void step_ledger_add(struct step_ledger *ledger, const struct step_entry *entry)
{
    ledger->entries[ledger->count % STEP_LEDGER_MAX] = *entry;
    ledger->count++;
}

static void add_instant(struct textbuf *text, wall_time wall)
{
    struct timespec ts = nstime_to_timespec(wall.ns);
    struct calendar_date date = calendar_from_seconds(ts.tv_sec);
    textbuf_printf(text, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%06ldZ,", date.year, date.month,
                   date.day, date.hour, date.minute, date.second, ts.tv_nsec / (long)NS_PER_US);
}

static void add_entry(struct textbuf *text, const struct step_entry *entry)
{
    // Negated as unsigned: the most negative size has no positive twin.
    bool is_forward = entry->step.size_ns >= 0;
    uint64_t size_ns = (uint64_t)entry->step.size_ns;
    size_ns = is_forward ? size_ns : 0 - size_ns;
    add_instant(text, entry->step.before);
    add_instant(text, entry->step.after);
    textbuf_printf(text, "%c%" PRIu64 ".%09" PRIu64 ",%s,%s,%08" PRIx32 ",%" PRIu64 "\n",
                   is_forward ? '+' : '-', size_ns / (uint64_t)NS_PER_S,
                   size_ns % (uint64_t)NS_PER_S, is_forward ? "forward" : "backward",
                   sync_state_name((enum sync_state)entry->sync_state), entry->boot_id, entry->seq);
}

size_t step_ledger_text(char *out, size_t cap, const struct step_ledger *ledger)
{
    struct textbuf text = textbuf_over(out, cap);
    uint64_t first = ledger->count > STEP_LEDGER_MAX ? ledger->count - STEP_LEDGER_MAX : 0;
    textbuf_printf(&text, "instant_before,instant_after,size_s,direction,sync_state,boot_id,seq\n");
    for (uint64_t i = first; i < ledger->count; i++) {
        add_entry(&text, &ledger->entries[i % STEP_LEDGER_MAX]);
    }
    return text.used;
}
