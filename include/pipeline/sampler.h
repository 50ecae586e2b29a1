/*
 * Thread 1: at each tick one record into the ring, whatever disk and network do.
 *
 * Owns the time source and the producer end of the ring. Takes no lock, allocates nothing after
 * start, and may block on the time source only, at most min(200 ms, tick/4).
 */
#ifndef PIPELINE_SAMPLER_H
#define PIPELINE_SAMPLER_H

#include "base/bell.h"
#include "core/latest.h"
#include "core/record.h"
#include "core/report.h"
#include "core/ring.h"
#include "core/step_ledger.h"
#include "core/timesource.h"

#include <stdint.h>

/* What anybody may know of the sampler: the newest sample and the source's long form. */
struct sampler_snapshot {
    struct record record;
    struct source_report report;
    uint64_t samples;              /* records made in this run */
    uint64_t missed_ticks;         /* ticks never sampled in this run */
    uint64_t dropped;              /* records the full ring refused in this run */
    uint64_t failures;             /* samples that were not good in this run */
    int64_t first_failure_wall_ns; /* of this run; 0 while failures is 0 */
    int64_t slew_ppt;              /* MONOTONIC against the crystal, see core/steps.h */
    bool slew_known;
    struct step_ledger steps; /* of this run */
};

struct sampler_config {
    struct timesource *source;  /* the caller's; used by the sampler's thread only, until joined */
    struct ring_producer *ring; /* likewise */
    struct bell *writer_bell;   /* rung with the two reasons below */
    uint32_t urgent_reason;     /* an event row wants an immediate commit */
    uint32_t filling_reason;    /* the ring is half full */
    uint32_t boot_id;
    uint64_t first_seq;
    uint32_t lost_before; /* records numbered just below first_seq that no row will have */
    uint32_t interval_ms;
    uint32_t answer_stands_ms; /* an answer serves the records of so long; 0: each record asks */
};

struct sampler;

/* Starts the thread. 0 or -errno. */
int sampler_start(struct sampler **sampler, const struct sampler_config *config);

/* Asks the thread to end after the sample at hand; returns at once. */
void sampler_request_stop(struct sampler *sampler);

/* Waits for the thread; then nothing touches the ring and the source any more. */
void sampler_join(struct sampler *sampler);
void sampler_free(struct sampler *sampler);

/*
 * The newest sample (up to 10 s old while all is well, up to 1 s while it is not, at once after a
 * change), and the newest one that was not good. False when there was none. Any thread.
 */
bool sampler_get_latest(struct sampler *sampler, struct sampler_snapshot *out);
bool sampler_get_failure(struct sampler *sampler, struct sampler_snapshot *out);

#endif
