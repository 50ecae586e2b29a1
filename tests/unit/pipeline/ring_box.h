/*
 * A ring in a folder of its own on tmpfs, and records to fill it with.
 */
#ifndef TESTS_RING_BOX_H
#define TESTS_RING_BOX_H

#include "core/record.h"
#include "pipeline/ring_storage.h"
#include "scratch.h"

#include <stdint.h>

#define RING_BOX_BOOT 0x1a2b3c4du

struct ring_box {
    char dir[SCRATCH_PATH_MAX];
    struct ring_storage_config config;
    struct ring_storage storage;
};

/* cmocka setup and teardown: *state is a struct ring_box, its ring not open. */
int ring_box_setup(void **state);
int ring_box_teardown(void **state);

/* The open must succeed. */
void ring_box_open(struct ring_box *box);
/* What a kill does: the kernel unmaps and closes, nobody tidies up. */
void ring_box_kill(struct ring_box *box);
/* Records FIRST..LAST; there must be room. */
void ring_box_push(struct ring_box *box, uint64_t first, uint64_t last);
struct ring_recovery ring_box_recover(struct ring_box *box, uint64_t durable_below);
void ring_box_assert_waiting(struct ring_box *box, uint64_t first, uint64_t last);

/* Opens, asserts that it is plain memory BECAUSE of that and works, and closes. */
void ring_box_assert_plain(struct ring_box *box, const char *because);

/* The file and the folder it is in; static. */
const char *ring_box_file(struct ring_box *box);
const char *ring_box_folder(struct ring_box *box);

#endif
