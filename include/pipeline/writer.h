/*
 * Thread 2: drains the ring into the spool, one commit at a time.
 *
 * Owns the consumer end of the ring and the active segment. A record leaves the ring only after
 * its row is durable, so a failed write loses nothing: the same records are tried again.
 */
#ifndef PIPELINE_WRITER_H
#define PIPELINE_WRITER_H

#include "base/bell.h"
#include "core/ring.h"
#include "pipeline/spool.h"

#include <stdint.h>

/* Reasons to ring the writer's bell. */
enum writer_reason {
    WRITER_URGENT = 1u << 0,  /* commit now */
    WRITER_FILLING = 1u << 1, /* the ring is half full */
    WRITER_SEAL = 1u << 2,    /* commit, seal the segment, call on_sealed */
    WRITER_STOP = 1u << 3,    /* the producer has ended: empty the ring, commit, end */
};

struct writer_config {
    struct spool *spool;        /* the caller's */
    struct ring_consumer *ring; /* the caller's; the writer's thread only, until joined */
    struct bell *bell;          /* the caller's: it exists before the sampler and outlives it */
    uint32_t commit_interval_s;
    /* Called in the writer's thread after each WRITER_SEAL was carried out, or has failed. */
    void (*on_sealed)(void *ctx);
    void *on_sealed_ctx;
};

struct writer;

/* Starts the thread. 0 or -errno. */
int writer_start(struct writer **writer, const struct writer_config *config);

/*
 * After the sampler was joined: waits until the ring is empty and durable. 0, or the -errno of the
 * disk that did not take the last rows (they stay in the ring).
 */
int writer_stop(struct writer *writer);
void writer_free(struct writer *writer);

#endif
