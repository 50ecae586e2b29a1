/*
 * The product's way from a sample to the file: record into the ring, out in batches, rows
 * formatted, whole buffers appended to the spool, the slots given back.
 *
 * DESIGN: the producer is the thread that measures; the back end below stands in for the writer
 * thread, which does the same but waits for its next commit instead of polling. The two share the
 * ring and three counters. Nothing is synced, as with the peers, so the checksum, which the writer
 * counts behind its commits when nothing waits, is counted after the clock has stopped.
 */
#include "log.h"
#include "modes.h"
#include "records.h"

#include "core/csv.h"
#include "core/ring.h"
#include "pipeline/spool.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY    1024
#define BUFFER_SIZE 65536
#define IDLE_PAUSES 1024
#define QUOTA       (UINT64_C(1) << 40)

struct pipeline {
    struct ring_producer producer;
    uint64_t pushed;
    _Alignas(RING_LINE) struct ring_consumer consumer;
    char *buffer;
    size_t used;
    uint64_t first_seq;
    uint64_t last_seq;
    bool five_columns;
    struct spool *spool;
    _Alignas(RING_LINE) atomic_bool stopping;
    atomic_ullong written; /* rows handed to the kernel */
    pthread_t thread;
    struct bench_start started;
    const char *path;
};

static struct pipeline pipe_line;

static void append(struct pipeline *p)
{
    if (p->used > 0) {
        int error = spool_append(p->spool, p->buffer, p->used, p->first_seq, p->last_seq);
        if (error != 0) {
            bench_die("spool: %s", strerror(-error));
        }
        p->used = 0;
        p->first_seq = p->last_seq + 1;
        atomic_store_explicit(&p->written, p->last_seq, memory_order_release);
    }
}

static void format(struct pipeline *p, const struct record *record)
{
    char *out = p->buffer + p->used;
    if (p->five_columns) {
        size_t length = csv_format_clock_columns(out, record);
        out[length] = '\n';
        p->used += length + 1;
    } else {
        p->used += csv_format_row(out, record);
    }
    p->last_seq++;
}

static void *write_rows(void *user)
{
    struct pipeline *p = user;
    bench_pin(1);
    bench_meet(&p->started);
    for (;;) {
        bool stopping = atomic_load_explicit(&p->stopping, memory_order_acquire);
        uint32_t waiting = ring_waiting(&p->consumer);
        uint32_t batch = waiting < CAPACITY / 4 ? waiting : CAPACITY / 4;
        for (uint32_t i = 0; i < batch; i++) {
            format(p, ring_at(&p->consumer, i));
            if (p->used > BUFFER_SIZE - CSV_ROW_MAX) {
                append(p);
            }
        }
        if (batch > 0) {
            ring_release(&p->consumer, batch);
            continue;
        }
        append(p);
        if (stopping) {
            return NULL;
        }
        for (int i = 0; i < IDLE_PAUSES; i++) {
            bench_pause();
        }
    }
}

static void *new_ring(void)
{
    void *storage = NULL;
    size_t size = ring_storage_size(CAPACITY, sizeof(struct record));
    if (posix_memalign(&storage, 4096, size) != 0) {
        bench_die("no memory");
    }
    memset(storage, 0, size); // page faults belong to the start, as with the product's mapped file
    ring_format(storage, size, CAPACITY, sizeof(struct record), BENCH_BOOT_ID);
    return storage;
}

static void start(const char *path)
{
    struct pipeline *p = &pipe_line;
    struct spool_recovery recovery;
    struct spool_config config = {
        .dir = path, .quota_bytes = QUOTA, .segment_max_bytes = QUOTA, .boot_id = BENCH_BOOT_ID};
    int error = spool_open(&p->spool, &config, &recovery);
    if (error != 0 || recovery.next_seq != 1) {
        bench_die("%s: %s", path, error != 0 ? strerror(-error) : "want an empty directory");
    }
    void *storage = new_ring();
    ring_producer_init(&p->producer, storage);
    ring_consumer_init(&p->consumer, storage);
    p->buffer = malloc(BUFFER_SIZE);
    if (p->buffer == NULL) {
        bench_die("no memory");
    }
    memset(p->buffer, 0, BUFFER_SIZE);
    p->first_seq = 1;
    p->path = path;
    if (pthread_create(&p->thread, NULL, write_rows, p) != 0) {
        bench_die("no thread");
    }
    bench_meet(&p->started);
}

static void start_five(const char *path)
{
    pipe_line.five_columns = true;
    start(path);
}

static void put(size_t i)
{
    struct pipeline *p = &pipe_line;
    struct record *slot;
    while ((slot = ring_reserve(&p->producer)) == NULL) {
        bench_pause();
    }
    *slot = bench_records()[i];
    ring_publish(&p->producer);
    p->pushed++;
}

static void flush(void)
{
    struct pipeline *p = &pipe_line;
    while (atomic_load_explicit(&p->written, memory_order_acquire) < p->pushed) {
        bench_pause();
    }
}

static const char *stop(size_t *skip)
{
    struct pipeline *p = &pipe_line;
    atomic_store_explicit(&p->stopping, true, memory_order_release);
    pthread_join(p->thread, NULL);
    spool_close(p->spool); // seals
    struct spool_segment segment;
    struct spool_recovery recovery;
    struct spool_config config = {
        .dir = p->path, .quota_bytes = QUOTA, .segment_max_bytes = QUOTA, .boot_id = BENCH_BOOT_ID};
    static char file[PATH_MAX + sizeof segment.name];
    if (spool_open(&p->spool, &config, &recovery) != 0 ||
        !spool_next_sealed(p->spool, 0, &segment)) {
        bench_die("%s: no sealed segment", p->path);
    }
    spool_close(p->spool);
    snprintf(file, sizeof file, "%s/%s", p->path, segment.name);
    *skip = strlen(csv_header);
    return file;
}

int mode_log(int argc, char **argv)
{
    static const struct log_case cases[] = {
        {"five", start_five, put, flush, stop},
        {"row", start, put, flush, stop},
    };
    bench_records();
    return log_main(cases, sizeof cases / sizeof cases[0], argc, argv);
}
