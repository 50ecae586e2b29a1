/*
 * DESIGN
 *
 * The thread owns the consumer end of the ring and, with it, the active segment of the spool. It is
 * woken by its commit deadline or by its bell: an event row, a ring half full, a request to seal,
 * or stop. One commit = rows of all waiting records, in order, one write per full buffer, one
 * fdatasync; only then are the records released, and only then is the segment's checksum counted.
 * When the disk refuses, the records stay in the ring and the same commit is tried again a little
 * later; sampling goes on meanwhile and the ring drops the newest when it is full. It stops when
 * told, after a last commit.
 */
#include "pipeline/writer.h"

#include "base/log.h"
#include "base/worker.h"
#include "core/csv.h"
#include "core/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES   (64 * 1024)
#define RETRY_AFTER_NS (2 * NS_PER_S)

struct writer {
    struct writer_config config;
    pthread_t thread;
    int disk_error; // -errno of the newest commit, for log_changed and the result of stop
    size_t used;
    char buffer[BUFFER_BYTES];
};

// Rows of one write: what is in the buffer, and which seqs they are.
struct batch {
    uint64_t first_seq;
    uint64_t last_seq;
};

static int flush(struct writer *w, struct batch *batch)
{
    if (w->used == 0) {
        return 0;
    }
    int error =
        spool_append(w->config.spool, w->buffer, w->used, batch->first_seq, batch->last_seq);
    w->used = 0;
    batch->first_seq = 0;
    return error;
}

static int append_record(struct writer *w, const struct record *record, struct batch *batch)
{
    if (w->used + CSV_ROW_MAX > sizeof w->buffer) {
        int error = flush(w, batch);
        if (error != 0) {
            return error;
        }
    }
    if (batch->first_seq == 0) {
        batch->first_seq = record->seq;
    }
    batch->last_seq = record->seq;
    w->used += csv_format_row(w->buffer + w->used, record);
    return 0;
}

// What the quota has cost goes into the next rows, one range each. The spool offers a range again
// until a commit with it has succeeded.
static int append_declaring(struct writer *w, const struct record *record, struct batch *batch)
{
    struct record copy = *record;
    if (spool_take_evicted(w->config.spool, &copy.evicted_first, &copy.evicted_last)) {
        copy.events |= EVENT_EVICTED;
        log_warning("spool: full, evicted rows %llu-%llu", (unsigned long long)copy.evicted_first,
                    (unsigned long long)copy.evicted_last);
    }
    return append_record(w, &copy, batch);
}

static int commit_waiting(struct writer *w)
{
    uint32_t count = ring_waiting(w->config.ring);
    if (count == 0) {
        return 0;
    }
    struct batch batch = {0};
    int error = 0;
    w->used = 0;
    for (uint32_t i = 0; i < count && error == 0; i++) {
        error = append_declaring(w, ring_at(w->config.ring, i), &batch);
    }
    if (error == 0) {
        error = flush(w, &batch);
    }
    if (error == 0) {
        error = spool_commit(w->config.spool);
    }
    if (error == 0) {
        ring_release(w->config.ring, count);
    }
    return error;
}

static int commit(struct writer *w)
{
    int error = commit_waiting(w);
    if (log_changed(&w->disk_error, error)) {
        if (error != 0) {
            log_error("spool: can't write rows: %s; they wait in memory", strerror(-error));
        } else {
            log_info("spool: writing again");
        }
    }
    return error;
}

// The checksum can wait until the segment is sealed; a ring that fills can not.
static void count_digest(struct writer *w)
{
    while (ring_waiting(w->config.ring) <= w->config.ring->mask / 2 &&
           spool_count_digest(w->config.spool)) {
    }
}

static int seal(struct writer *w)
{
    int error = spool_seal(w->config.spool);
    if (error != 0) {
        log_warning("spool: can't seal the segment: %s; it goes on", strerror(-error));
    }
    return error;
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    const int64_t interval_ns = (int64_t)w->config.commit_interval_s * NS_PER_S;
    mono_time deadline = mono_add(mono_now(), interval_ns);
    for (;;) {
        uint32_t reasons = bell_wait_until(w->config.bell, deadline);
        int error = commit(w);
        count_digest(w);
        bool asked = (reasons & WRITER_SEAL) != 0;
        if (error == 0 && (asked || spool_wants_seal(w->config.spool))) {
            seal(w);
        }
        if (asked) {
            w->config.on_sealed(w->config.on_sealed_ctx);
        }
        if ((reasons & WRITER_STOP) != 0) {
            return NULL;
        }
        deadline = mono_add(mono_now(), error == 0 ? interval_ns : RETRY_AFTER_NS);
    }
}

int writer_start(struct writer **writer, const struct writer_config *config)
{
    struct writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return -ENOMEM;
    }
    w->config = *config;
    int error = worker_start(&w->thread, "writer", writer_main, w);
    if (error != 0) {
        free(w);
        return error;
    }
    *writer = w;
    return 0;
}

int writer_stop(struct writer *writer)
{
    bell_ring(writer->config.bell, WRITER_STOP);
    pthread_join(writer->thread, NULL);
    return writer->disk_error;
}

void writer_free(struct writer *writer)
{
    free(writer);
}
