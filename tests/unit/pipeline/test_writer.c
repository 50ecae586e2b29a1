#include "pipeline/writer.h"

#include "core/csv.h"
#include "scratch.h"
#include "spool_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPACITY 64

/* A real ring, a real spool; --wrap fdatasync makes the disk refuse. */
struct rig {
    char dir[SCRATCH_PATH_MAX];
    void *storage;
    struct ring_producer producer;
    struct ring_consumer consumer;
    struct spool *spool;
    struct bell bell;
    struct writer *writer;
    atomic_int seals;
};

static atomic_int syncs_to_fail;
static atomic_int syncs_failed;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    if (atomic_fetch_sub(&syncs_to_fail, 1) > 0) {
        atomic_fetch_add(&syncs_failed, 1);
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(fd);
}

static void count_seal(void *ctx)
{
    struct rig *rig = ctx;
    atomic_fetch_add(&rig->seals, 1);
}

static void push(struct rig *rig, uint64_t seq)
{
    struct record *slot = ring_reserve(&rig->producer);
    if (slot == NULL) {
        fail_msg("the ring is full at seq %llu", (unsigned long long)seq);
        return;
    }
    *slot = (struct record){.boot_id = 0x1a2b3c4d, .seq = seq};
    ring_publish(&rig->producer);
}

static int open_rig(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    size_t size = ring_storage_size(CAPACITY, sizeof(struct record));
    if (rig == NULL || scratch_make(rig->dir, sizeof rig->dir) != 0) {
        return -1;
    }
    *state = rig;
    atomic_store(&syncs_to_fail, 0);
    atomic_store(&syncs_failed, 0);
    rig->storage = aligned_alloc(RING_LINE, (size + RING_LINE - 1) / RING_LINE * RING_LINE);
    struct spool_config spool = {.dir = rig->dir,
                                 .quota_bytes = 1 << 20,
                                 .segment_max_bytes = 1 << 18,
                                 .boot_id = 0x1a2b3c4d};
    struct spool_recovery found;
    if (ring_format(rig->storage, size, CAPACITY, sizeof(struct record), 1) != 0 ||
        spool_open(&rig->spool, &spool, &found) != 0 || bell_init(&rig->bell) != 0) {
        return -1;
    }
    ring_producer_init(&rig->producer, rig->storage);
    ring_consumer_init(&rig->consumer, rig->storage);
    struct writer_config config = {.spool = rig->spool,
                                   .ring = &rig->consumer,
                                   .bell = &rig->bell,
                                   .commit_interval_s = 900,
                                   .on_sealed = count_seal,
                                   .on_sealed_ctx = rig};
    return writer_start(&rig->writer, &config);
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    writer_free(rig->writer);
    spool_close(rig->spool);
    bell_destroy(&rig->bell);
    free(rig->storage);
    scratch_remove(rig->dir);
    free(rig);
    return 0;
}

// The rows of the only segment, header cut off.
static char *sealed_rows(struct rig *rig)
{
    static char text[1 << 16];
    struct spool_segment segment;
    int fd = -1;
    assert_int_equal(spool_seal(rig->spool), 0);
    assert_true(spool_next_sealed(rig->spool, 0, &segment));
    assert_int_equal(spool_open_segment(rig->spool, &segment, &fd), 0);
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(got > 0);
    text[got] = '\0';
    return strchr(text, '\n') + 1;
}

static uint64_t seq_of_line(const char *rows, size_t line)
{
    for (; line > 0; line--) {
        rows = strchr(rows, '\n') + 1;
    }
    struct csv_key key = {0};
    assert_int_equal(csv_parse_key(rows, strcspn(rows, "\n"), &key), 0);
    return key.seq;
}

static size_t count_lines(const char *rows)
{
    size_t lines = 0;
    for (; (rows = strchr(rows, '\n')) != NULL; rows++) {
        lines++;
    }
    return lines;
}

static void writer_saves_every_record_in_order_when_stopped(void **state)
{
    struct rig *rig = *state;
    for (uint64_t seq = 1; seq <= 50; seq++) {
        push(rig, seq);
    }
    assert_int_equal(writer_stop(rig->writer), 0);
    const char *rows = sealed_rows(rig);
    assert_int_equal(count_lines(rows), 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(seq_of_line(rows, i), i + 1);
    }
}

static void writer_keeps_records_in_the_ring_while_the_disk_refuses(void **state)
{
    struct rig *rig = *state;
    atomic_store(&syncs_to_fail, 1);
    push(rig, 1);
    push(rig, 2);
    bell_ring(&rig->bell, WRITER_URGENT);
    while (atomic_load(&syncs_failed) == 0) {
        usleep(1000);
    }
    push(rig, 3);
    assert_int_equal(writer_stop(rig->writer), 0);
    assert_int_equal(ring_waiting(&rig->consumer), 0);
    struct spool_segment segment;
    uint64_t after = 0;
    uint64_t rows_found = 0;
    assert_int_equal(spool_seal(rig->spool), 0);
    while (spool_next_sealed(rig->spool, after, &segment)) {
        int fd = -1;
        char text[1 << 14];
        assert_int_equal(spool_open_segment(rig->spool, &segment, &fd), 0);
        ssize_t got = read(fd, text, sizeof text - 1);
        close(fd);
        assert_true(got > 0);
        text[got] = '\0';
        rows_found += count_lines(strchr(text, '\n') + 1);
        after = segment.number;
    }
    assert_int_equal(rows_found, 3); // each once, whichever file it is in
}

static void writer_reports_a_disk_that_never_took_the_last_rows(void **state)
{
    struct rig *rig = *state;
    atomic_store(&syncs_to_fail, 1000);
    push(rig, 1);
    assert_int_equal(writer_stop(rig->writer), -EIO);
    assert_int_equal(ring_waiting(&rig->consumer), 1);
    atomic_store(&syncs_to_fail, 0);
}

static void writer_counts_the_checksum_before_it_seals(void **state)
{
    struct rig *rig = *state;
    for (uint64_t seq = 1; seq <= 20; seq++) {
        push(rig, seq);
    }
    assert_int_equal(writer_stop(rig->writer), 0);
    assert_true(rig->spool->active.committed_size > 0);
    assert_int_equal(rig->spool->active.digested, rig->spool->active.committed_size);
}

static void writer_seals_when_asked_and_says_so(void **state)
{
    struct rig *rig = *state;
    push(rig, 1);
    bell_ring(&rig->bell, WRITER_SEAL);
    while (atomic_load(&rig->seals) == 0) {
        usleep(1000);
    }
    assert_int_equal(writer_stop(rig->writer), 0);
    struct spool_segment segment;
    assert_true(spool_next_sealed(rig->spool, 0, &segment));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
        TEST(writer_saves_every_record_in_order_when_stopped),
        TEST(writer_keeps_records_in_the_ring_while_the_disk_refuses),
        TEST(writer_reports_a_disk_that_never_took_the_last_rows),
        TEST(writer_counts_the_checksum_before_it_seals),
        TEST(writer_seals_when_asked_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
