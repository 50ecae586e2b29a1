/*
 * A spool in a folder of its own, rows to fill it with, and a look at what is on the disk. The look
 * uses nothing of the spool: it reads the files as a stranger would.
 */
#ifndef TESTS_SPOOL_BOX_H
#define TESTS_SPOOL_BOX_H

#include "pipeline/spool.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOX_BOOT 0x1a2b3c4du

/* Seqs a test may use. */
#define BOX_SEQ_MAX 20000

struct box {
    char dir[PATH_MAX];
    struct spool_config config;
    struct spool *spool; /* NULL: not open */
    struct spool_recovery found;
};

/* cmocka setup and teardown: *state is a struct box with an empty folder, and no call is armed to
 * fail; everything is deleted. */
int box_setup(void **state);
int box_teardown(void **state);

/* Deletes the folder and all that is in it. */
void box_delete(struct box *box);

/* spool_open with the box's config. */
int box_open(struct box *box);
/* What a kill leaves: no seal, descriptors closed by the kernel. */
void box_kill(struct box *box);
void box_close(struct box *box);
/* kill, then open; the open must succeed. */
void box_restart(struct box *box);

/* The row of SEQ with LF at OUT (CSV_ROW_MAX); the same bytes each time. Returns its length. */
size_t box_row(char *out, uint32_t boot_id, uint64_t seq);
/* Appends FIRST..LAST as one batch, or each row on its own. The append's result. */
int box_append(struct box *box, uint64_t first, uint64_t last);
/* Append, commit; both must succeed. */
void box_put(struct box *box, uint64_t first, uint64_t last);
/* Append, seal. */
void box_put_sealed(struct box *box, uint64_t first, uint64_t last);

/* What the files hold. */
struct box_view {
    unsigned sealed_files;
    unsigned part_files;
    unsigned note_files; /* .evicted */
    unsigned bad_files;  /* in bad/ */
    unsigned other_files;
    unsigned torn_lines; /* lines that are neither header nor row, in sealed files and the .part */
    unsigned headers;    /* files that start with the header */
    uint64_t lowest_number; /* of the sealed */
    uint64_t highest_number;
    uint64_t sealed_bytes;
    char part_name[NAME_MAX + 1];
    unsigned char aside[BOX_SEQ_MAX + 1]; /* how often each seq of BOX_BOOT is in bad/ */
    unsigned char times[BOX_SEQ_MAX + 1]; /* how often each seq of BOX_BOOT is there */
};

/* Static: each call overwrites the former. */
const struct box_view *box_look(const struct box *box);

/* Asserts that exactly FIRST..LAST are there, once each, and no torn line. */
void box_assert_rows(const struct box *box, uint64_t first, uint64_t last);

/* Makes FILE in the box's folder with these bytes. */
void box_write_file(const struct box *box, const char *file, const void *data, size_t size);
/* The number of entries in the folder SUB of the box ("" = itself). */
unsigned box_count(const struct box *box, const char *sub);
/* "<dir>/<file>"; static. */
const char *box_path(const struct box *box, const char *file);

#endif
