/*
 * DESIGN
 *
 * The thread owns the time source, the step detector and the producer end of the ring. It is woken
 * by its ticker: by a tick, by the wall clock being set (then the clocks are read at once, so that
 * the instant is known, and the next tick's row tells of it), or by its bell, which means stop. It
 * promises one record per tick in order of seq, or a gap or drop that the next record declares.
 *
 * A source that answers while we sleep is asked at the tick and heard at the next wake-up, so that
 * waiting for it costs no wake-up of its own. The record holds that tick's clocks and that tick's
 * answer, and reaches the ring one tick later; a kill in between loses this one sample. At short
 * ticks an answer serves several records, none of which waits.
 *
 * Records go to the writer through the ring, the newest sample is shown through two `latest`
 * boxes; the thread never waits for either reader.
 */
#include "pipeline/sampler.h"

#include "base/log.h"
#include "base/worker.h"
#include "core/clocks.h"
#include "core/step_watch.h"
#include "core/steps.h"
#include "core/verdict.h"
#include "pipeline/ticker.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_WAIT_MAX_NS (200 * NS_PER_MS)
/* What is shown is some kilobytes. Changes are shown at once; while all is well, that is enough. */
#define PUBLISH_GOOD_EVERY_NS (10 * NS_PER_S)
#define PUBLISH_BAD_EVERY_NS  NS_PER_S
/* At longer ticks a record would wait too long for its answer, and a second wake-up is cheap. */
#define ASK_AHEAD_MAX_MS 1000

enum { STOP = 1u << 0 };

#define SNAPSHOT_WORDS LATEST_WORDS(sizeof(struct sampler_snapshot))

struct sampler {
    struct sampler_config config;
    struct ticker ticker;
    struct step_watch watch;
    struct bell bell;
    pthread_t thread;

    // The sampler thread's own from here to the boxes.
    struct clock_reading open; // the clocks of a tick whose record is not made yet
    bool has_open;
    struct clock_reading last; // of the newest record that reached the ring
    bool has_last;
    uint64_t next_seq;
    struct step_detector detector;
    struct step pending_step; // found, and no record in the ring tells of it yet
    bool has_pending_step;
    uint32_t pending_gap;
    uint32_t pending_drop;
    struct reading reading;     // the newest answer
    uint32_t answer_ticks;      // how many records it is for
    uint32_t answer_ticks_left; // and for how many more
    enum sync_state state;
    bool has_state;
    int source_error; // last -errno of the source, for log_changed
    mono_time published;
    struct sampler_snapshot snapshot;

    struct latest newest;
    struct latest failure;
    _Atomic uint32_t newest_words[SNAPSHOT_WORDS];
    _Atomic uint32_t failure_words[SNAPSHOT_WORDS];
};

static int64_t floor_us(int64_t ns)
{
    int64_t us = ns / NS_PER_US;
    return ns % NS_PER_US < 0 ? us - 1 : us;
}

static uint32_t saturating_add(uint32_t a, uint64_t b)
{
    return b > UINT32_MAX - a ? UINT32_MAX : a + (uint32_t)b;
}

static void fill_clocks(const struct sampler *s, const struct clock_reading *now,
                        struct record *record)
{
    record->mono_ns = now->mono.ns;
    record->raw_ns = now->raw.ns;
    record->wall_ns = now->wall.ns;
    record->read_window_ns = now->window_ns;
    if (s->has_last) {
        // Differences of floors, so that the columns of many rows add up to the microsecond.
        record->elapsed_mono_us = floor_us(now->mono.ns) - floor_us(s->last.mono.ns);
        record->elapsed_wall_us = floor_us(now->wall.ns) - floor_us(s->last.wall.ns);
        record->elapsed_raw_ns = now->raw.ns - s->last.raw.ns;
    }
}

static void fill_reading(const struct reading *reading, struct record *record)
{
    record->valid = reading->valid;
    record->source = (uint8_t)reading->source;
    record->status = (uint8_t)reading->status;
    record->stratum = reading->stratum;
    record->clock_diff_ns = reading->clock_diff_ns;
    record->ref_age_ns = reading->ref_age_ns;
    record->last_offset_ns = reading->last_offset_ns;
    record->freq_ppt = reading->freq_ppt;
    record->root_delay_ns = reading->root_delay_ns;
    record->root_dispersion_ns = reading->root_dispersion_ns;
    record->error_bound_ns = reading->error_bound_ns;
    if (reading->status == STATUS_UNKNOWN || reading->status == STATUS_NOT_SYNCHRONISED) {
        // A daemon that never synchronised reports 0: no difference is known then.
        record->valid &= ~(uint32_t)(VALID_CLOCK_DIFF | VALID_ERROR_BOUND);
    }
}

// Asks the source, within its budget. No answer at all is a reading, too: unknown, from nobody.
static struct reading ask_source(struct sampler *s, mono_time now)
{
    struct reading reading = {.source = SOURCE_NONE, .status = STATUS_UNKNOWN};
    int64_t budget_ns = (int64_t)s->config.interval_ms * NS_PER_MS / 4;
    if (budget_ns > SOURCE_WAIT_MAX_NS) {
        budget_ns = SOURCE_WAIT_MAX_NS;
    }
    int error = timesource_read(s->config.source, mono_add(now, budget_ns), &reading);
    if (log_changed(&s->source_error, error) && error != 0) {
        log_warning("time sources: no reading: %s", strerror(-error));
    }
    return reading;
}

// The newest answer while it is good for further records, else a new one. The question for the next
// goes out at once then, so that a machine too busy to answer within a tick has many to do it.
static struct reading current_reading(struct sampler *s)
{
    if (s->answer_ticks_left == 0) {
        s->reading = ask_source(s, mono_now());
        s->answer_ticks_left = s->answer_ticks;
        if (s->answer_ticks > 1) {
            (void)timesource_ask_ahead(s->config.source);
        }
    }
    s->answer_ticks_left--;
    return s->reading;
}

static void judge(struct sampler *s, const struct reading *reading, struct record *record)
{
    enum sync_state state = verdict_judge(reading);
    record->sync_state = (uint8_t)state;
    if (s->has_state && state != s->state) {
        record->events |= EVENT_STATE;
        record->old_state = (uint8_t)s->state;
        log_info("clock: %s -> %s (%s says %s)", sync_state_name(s->state), sync_state_name(state),
                 source_id_name(reading->source), clock_status_name(reading->status));
    } else if (!s->has_state) {
        log_info("clock: %s (%s says %s)", sync_state_name(state), source_id_name(reading->source),
                 clock_status_name(reading->status));
    }
    s->state = state;
    s->has_state = true;
}

// ---- steps -------------------------------------------------------------------------------------

// Looks for a step in a new reading. Several before a row can tell of them are told as one.
static void look_for_step(struct sampler *s, const struct clock_reading *now, bool was_set)
{
    struct step step;
    if (!steps_observe(&s->detector, now, was_set, &step)) {
        return;
    }
    if (s->has_pending_step) {
        step.size_ns += s->pending_step.size_ns;
        step.uncertainty_ns += s->pending_step.uncertainty_ns;
        step.before = s->pending_step.before;
    }
    s->pending_step = step;
    s->has_pending_step = true;
}

static void declare_step(const struct sampler *s, struct record *record)
{
    if (s->has_pending_step) {
        record->events |= EVENT_STEP;
        record->step_ns = s->pending_step.size_ns;
    }
}

static void file_step(struct sampler *s, const struct record *record)
{
    struct step_entry entry = {.step = s->pending_step,
                               .seq = record->seq,
                               .boot_id = record->boot_id,
                               .sync_state = record->sync_state};
    step_ledger_add(&s->snapshot.steps, &entry);
    s->has_pending_step = false;
    log_warning("clock: it was set %s by %.9f s", record->step_ns < 0 ? "back" : "forward",
                fabs((double)record->step_ns / 1e9));
}

// ---- rows --------------------------------------------------------------------------------------

static void declare_losses(struct sampler *s, struct record *record)
{
    if (s->pending_gap > 0) {
        record->events |= EVENT_GAP;
        record->gap_rows = s->pending_gap;
    }
    if (s->pending_drop > 0) {
        record->events |= EVENT_DROPPED;
        record->dropped_rows = s->pending_drop;
    }
    if (!s->has_last) {
        record->events |= EVENT_START;
    }
}

// Into the ring, or counted: the next record that fits tells how many did not.
static void push(struct sampler *s, const struct clock_reading *now, const struct record *record)
{
    struct record *slot = ring_reserve(s->config.ring);
    if (slot == NULL) {
        s->pending_drop = saturating_add(s->pending_drop, 1);
        return;
    }
    *slot = *record;
    ring_publish(s->config.ring);
    s->last = *now;
    s->has_last = true;
    s->pending_gap = 0;
    s->pending_drop = 0;
    if ((record->events & EVENT_STEP) != 0) {
        file_step(s, record);
    }
    uint32_t reasons = (record->events & EVENTS_URGENT) != 0 ? s->config.urgent_reason : 0;
    if (ring_level(s->config.ring) > s->config.ring->mask / 2) {
        reasons |= s->config.filling_reason;
    }
    if (reasons != 0) {
        bell_ring(s->config.writer_bell, reasons);
    }
}

static void publish(struct sampler *s, const struct record *record, mono_time now)
{
    struct sampler_snapshot *snapshot = &s->snapshot;
    bool good =
        reading_is_good((enum clock_status)record->status, (enum sync_state)record->sync_state);
    snapshot->samples++;
    snapshot->dropped = s->config.ring->dropped;
    if (!good) {
        snapshot->failures++;
        if (snapshot->first_failure_wall_ns == 0) {
            snapshot->first_failure_wall_ns = record->wall_ns;
        }
    }
    bool all_well = good && s->pending_drop == 0;
    int64_t every_ns = all_well ? PUBLISH_GOOD_EVERY_NS : PUBLISH_BAD_EVERY_NS;
    bool due = snapshot->samples == 1 || (record->events & EVENTS_URGENT) != 0 ||
               mono_diff_ns(now, s->published) >= every_ns;
    if (!due) {
        return;
    }
    s->published = now;
    snapshot->record = *record;
    snapshot->report = (struct source_report){0};
    timesource_report(s->config.source, &snapshot->report);
    snapshot->slew_known = steps_slew_ppt(&s->detector, &snapshot->slew_ppt);
    latest_publish(&s->newest, snapshot);
    if (!good) {
        latest_publish(&s->failure, snapshot);
    }
}

// Makes the record of the tick whose clocks were read, with the source's answer, if there is one.
static void finish_sample(struct sampler *s)
{
    if (!s->has_open) {
        return;
    }
    s->has_open = false;
    struct record record = {.boot_id = s->config.boot_id, .seq = s->next_seq++};
    struct reading reading = current_reading(s);
    fill_clocks(s, &s->open, &record);
    fill_reading(&reading, &record);
    judge(s, &reading, &record);
    declare_losses(s, &record);
    declare_step(s, &record);
    push(s, &s->open, &record);
    publish(s, &record, s->open.mono);
}

static bool answer_will_come(struct sampler *s)
{
    return s->answer_ticks == 1 && s->config.interval_ms <= ASK_AHEAD_MAX_MS &&
           timesource_ask_ahead(s->config.source);
}

// The clocks first, whatever else there is to do. Then the record before, so that what is found
// now is told by this tick's record and not by that one.
static void take_sample(struct sampler *s, uint64_t missed)
{
    struct clock_reading now = clocks_read();
    finish_sample(s);
    s->pending_gap = saturating_add(s->pending_gap, missed);
    s->snapshot.missed_ticks += missed;
    look_for_step(s, &now, false);
    s->open = now;
    s->has_open = true;
    if (!answer_will_come(s)) {
        finish_sample(s);
    }
}

static void *sampler_main(void *arg)
{
    struct sampler *s = arg;
    for (;;) {
        uint64_t missed = 0;
        unsigned events = ticker_wait(&s->ticker, &s->bell, s->watch.fd, &missed);
        if ((events & TICKER_BELL) != 0 && bell_take(&s->bell) != 0) {
            finish_sample(s);
            return NULL;
        }
        if ((events & TICKER_CLOCK_SET) != 0 && step_watch_take(&s->watch)) {
            struct clock_reading now = clocks_read();
            finish_sample(s);
            look_for_step(s, &now, true);
        }
        if ((events & TICKER_TICK) != 0) {
            take_sample(s, missed);
        }
    }
}

int sampler_start(struct sampler **sampler, const struct sampler_config *config)
{
    struct sampler *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return -ENOMEM;
    }
    s->config = *config;
    s->next_seq = config->first_seq;
    s->pending_drop = config->lost_before;
    s->answer_ticks = config->answer_stands_ms / config->interval_ms;
    s->answer_ticks += s->answer_ticks == 0;
    steps_init(&s->detector);
    (void)step_watch_open(&s->watch); // without it steps are found at the next tick
    latest_init(&s->newest, s->newest_words, sizeof s->snapshot);
    latest_init(&s->failure, s->failure_words, sizeof s->snapshot);
    int error = bell_init(&s->bell);
    if (error != 0) {
        goto fail_bell;
    }
    error = ticker_open(&s->ticker, mono_now(), (int64_t)config->interval_ms * NS_PER_MS);
    if (error != 0) {
        goto fail_ticker;
    }
    error = worker_start(&s->thread, "sampler", sampler_main, s);
    if (error != 0) {
        goto fail_thread;
    }
    *sampler = s;
    return 0;

fail_thread:
    ticker_close(&s->ticker);
fail_ticker:
    bell_destroy(&s->bell);
fail_bell:
    step_watch_close(&s->watch);
    free(s);
    return error;
}

void sampler_request_stop(struct sampler *sampler)
{
    bell_ring(&sampler->bell, STOP);
}

void sampler_join(struct sampler *sampler)
{
    pthread_join(sampler->thread, NULL);
}

void sampler_free(struct sampler *sampler)
{
    ticker_close(&sampler->ticker);
    bell_destroy(&sampler->bell);
    step_watch_close(&sampler->watch);
    free(sampler);
}

bool sampler_get_latest(struct sampler *sampler, struct sampler_snapshot *out)
{
    return latest_read(&sampler->newest, out);
}

bool sampler_get_failure(struct sampler *sampler, struct sampler_snapshot *out)
{
    return latest_read(&sampler->failure, out);
}
