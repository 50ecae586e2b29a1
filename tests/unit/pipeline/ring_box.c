#include "ring_box.h"

#include "core/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

int ring_box_setup(void **state)
{
    struct ring_box *box = calloc(1, sizeof *box);
    if (scratch_make(box->dir, sizeof box->dir) != 0) {
        return -1;
    }
    box->config = (struct ring_storage_config){
        .dir = box->dir, .spool_dir = "/spool", .capacity = 16, .boot_id = RING_BOX_BOOT};
    *state = box;
    return 0;
}

int ring_box_teardown(void **state)
{
    struct ring_box *box = *state;
    ring_storage_close(&box->storage);
    scratch_remove(box->dir);
    free(box);
    return 0;
}

void ring_box_open(struct ring_box *box)
{
    assert_int_equal(ring_storage_open(&box->storage, &box->config), 0);
}

// What a kill does: the kernel unmaps and closes, nobody tidies up.
void ring_box_kill(struct ring_box *box)
{
    munmap(box->storage.memory, box->storage.size);
    close(box->storage.fd);
    close(box->storage.dir_fd);
    box->storage = (struct ring_storage){.fd = -1, .dir_fd = -1};
}

void ring_box_push(struct ring_box *box, uint64_t first, uint64_t last)
{
    struct ring_producer producer;
    ring_producer_init(&producer, box->storage.memory);
    for (uint64_t seq = first; seq <= last; seq++) {
        struct record *record = ring_reserve(&producer);
        if (record == NULL) {
            fail_msg("the ring is full at %u", (unsigned)seq);
            return;
        }
        *record = (struct record){.seq = seq, .boot_id = RING_BOX_BOOT};
        ring_publish(&producer);
    }
}

struct ring_recovery ring_box_recover(struct ring_box *box, uint64_t durable_below)
{
    struct ring_recovery found;
    ring_storage_recover(&box->storage, RING_BOX_BOOT, durable_below, &found);
    return found;
}

void ring_box_assert_waiting(struct ring_box *box, uint64_t first, uint64_t last)
{
    struct ring_consumer consumer;
    ring_consumer_init(&consumer, box->storage.memory);
    assert_int_equal(ring_waiting(&consumer), last - first + 1);
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct record *record = ring_at(&consumer, (uint32_t)(seq - first));
        assert_int_equal(record->seq, seq);
    }
}

const char *ring_box_file(struct ring_box *box)
{
    static char path[SCRATCH_PATH_MAX + 100];
    snprintf(path, sizeof path, "%s/ntp_logger-%u/%s", box->dir, (unsigned)geteuid(),
             box->storage.name);
    return path;
}

const char *ring_box_folder(struct ring_box *box)
{
    static char path[SCRATCH_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/ntp_logger-%u", box->dir, (unsigned)geteuid());
    return path;
}

void ring_box_assert_plain(struct ring_box *box, const char *because)
{
    ring_box_open(box);
    assert_false(box->storage.survives);
    if (strstr(box->storage.description, because) == NULL) {
        fail_msg("'%s' does not say '%s'", box->storage.description, because);
    }
    ring_box_push(box, 1, 3);
    ring_box_assert_waiting(box, 1, 3);
    ring_storage_close(&box->storage);
}
