/*
 * Memory for the ring that outlives the process: a mapped file on tmpfs.
 *
 *   <dir>/ntp_logger-<uid>/            0700, ours
 *   <dir>/ntp_logger-<uid>/ring-<key>  0600; <key> is a hash of the spool's path
 *
 * After a kill the next start finds the records that were not yet durable. A file system that is
 * not memory would wear the flash, and a folder or file that is not ours alone is not trusted: then
 * the ring lives in plain memory, `survives` is false and the description says why.
 *
 * Called before the threads start and after they were joined.
 */
#ifndef PIPELINE_RING_STORAGE_H
#define PIPELINE_RING_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_storage_config {
    const char *dir;       /* on tmpfs, such as /dev/shm; "" = plain memory */
    const char *spool_dir; /* the records found are those of this spool */
    uint32_t capacity;     /* a ring found with records keeps its own */
    uint32_t boot_id;
};

struct ring_storage {
    void *memory; /* a formatted ring of struct record; NULL = not open */
    size_t size;
    bool survives;
    bool left_behind; /* a ring with records may exist that could not be read: their seqs are taken
                       */
    char description[192]; /* for log and status */
    int dir_fd;            /* of our folder; -1 = plain memory */
    int fd;                /* locked */
    char name[32];
};

/* What a former process left. */
struct ring_recovery {
    uint32_t waiting;  /* records that are in no file yet: the writer finds them in the ring */
    uint32_t durable;  /* records that were in the spool already: released */
    uint32_t unusable; /* records that are not credible: given up, with all behind them */
    uint32_t refused;  /* records after the last of them that the full ring did not take */
    uint64_t next_seq; /* above every record that waits; 0 = none waits */
};

/* 0, or -ENOMEM/-EINVAL when not even plain memory can be had. */
int ring_storage_open(struct ring_storage *storage, const struct ring_storage_config *config);

/*
 * Releases what is durable already: records below DURABLE_BELOW (struct spool_recovery) of BOOT_ID.
 * What is left is whole, of this boot, and its seqs rise. Before producer and consumer are made.
 */
void ring_storage_recover(struct ring_storage *storage, uint32_t boot_id, uint64_t durable_below,
                          struct ring_recovery *found);

/* Unmaps; deletes the file when it has nothing to tell the next start. Fine when not open. */
void ring_storage_close(struct ring_storage *storage);

#endif
