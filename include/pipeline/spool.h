/*
 * The spool: a directory of CSV segments that IS the state; there is no ledger.
 *
 *   0000000041.csv                    sealed: whole, durable, waiting for the uploader
 *   0000000042-1a2b3c4d-3601.csv.part active: being written; the name says the boot id and the
 *                                     first seq that goes there, so numbering goes on even when
 *                                     every row was uploaded and deleted
 *   0000000007-1a2b3c4d-1-3600.evicted  empty: rows the quota cost that no row has told of yet
 *   bad/                              what was found and is not ours, or damaged
 *
 * Numbers only rise. Each segment starts with csv_header. Files 0600 in a 0700 directory, which is
 * locked (flock) while a process owns the spool. docs/SPOOL.md tells what each crash leaves.
 *
 * Threads: append, commit, count_digest, seal and take_evicted belong to the writer; next_sealed,
 * open_segment, segment_md5, unpin and remove to the uploader; stats to anyone. One mutex guards
 * the bookkeeping both sides share and is never held during a system call. Nothing is allocated
 * after spool_open.
 *
 * Promise: a row for which spool_commit returned 0 is never lost but by the quota, and then
 * spool_take_evicted tells which. All functions return 0 or -errno unless said otherwise.
 */
#ifndef PIPELINE_SPOOL_H
#define PIPELINE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

struct spool_config {
    const char *dir;            /* created when missing, with its parents' last component only */
    uint64_t quota_bytes;       /* sealed and active segments together */
    uint64_t keep_free_bytes;   /* left free on the file system */
    uint64_t segment_max_bytes; /* spool_wants_seal says so beyond this */
    uint32_t boot_id;
};

/* What opening found. */
struct spool_recovery {
    uint64_t next_seq;       /* first seq of this boot that was never used on disk; at least 1 */
    uint64_t durable_below;  /* records of this boot from here on are to be appended (again): equals
                                next_seq unless the disk refuses to make what was found durable */
    uint64_t recovered_rows; /* whole rows found in a .part and sealed */
    uint64_t torn_bytes;     /* cut off behind the last whole row */
    uint32_t sealed_segments; /* waiting, the recovered one included */
    uint32_t bad_files;       /* moved to bad/ */
};

struct spool_stats {
    uint64_t sealed_bytes;
    uint64_t active_bytes;
    uint64_t evicted_rows; /* rows lost to the quota since start */
    uint32_t sealed_segments;
    uint32_t evicted_segments;
    uint32_t bad_files;
    uint32_t sync_errors; /* fdatasync or fsync that failed */
    uint32_t write_errors;
    int last_error; /* -errno of the newest failure; 0 once a commit succeeded again */
};

struct spool_segment {
    uint64_t number;
    uint64_t size;
    char name[32]; /* "0000000041.csv" */
};

/*
 * Locks DIR, recovers it and starts a new active segment. -EBUSY when another process holds the
 * lock. When the disk is full or read-only this still succeeds: appends then fail until it heals.
 */
int spool_open(struct spool **spool, const struct spool_config *config,
               struct spool_recovery *recovery);

/* Seals what is there, unlocks and frees. Every commit before it is durable already. NULL is fine.
 */
void spool_close(struct spool *spool);

/*
 * Adds whole ROWS (FIRST_SEQ..LAST_SEQ, rising) to the active segment; durable only after
 * spool_commit. Evicts the oldest sealed segments when quota or disk are full. On failure the
 * segment is cut back to the last commit: all rows since then must be appended again. Every call
 * tries to heal first, so a disk that was full, read-only or deleted is used again by itself.
 * -EINVAL: a seq that is on disk already, or an empty range; then nothing has changed.
 */
int spool_append(struct spool *spool, const char *rows, size_t size, uint64_t first_seq,
                 uint64_t last_seq);

/*
 * Makes everything appended durable. A failed fdatasync is never retried on the same file: the
 * active segment is closed, a new one starts, and the rows since the last commit must be appended
 * again (their seqs stay; the failed file keeps at most rows that recovery recognises by seq).
 */
int spool_commit(struct spool *spool);

/*
 * Counts a piece of what is committed into the active segment's MD5; true while there is more. For
 * when nothing waits: sealing counts what is left.
 */
bool spool_count_digest(struct spool *spool);

/* True when the active segment has outgrown segment_max_bytes. */
bool spool_wants_seal(const struct spool *spool);

/*
 * Seals the active segment when it has rows (fdatasync, rename, fsync of the directory) and starts
 * the next; 0 as well when there was nothing to seal.
 */
int spool_seal(struct spool *spool);

/*
 * Takes one range of rows lost to the quota, to be put into the next row; false when there is none
 * (more). Ranges that follow each other are merged. Taken ranges are forgotten when the next commit
 * succeeds; when an append or commit fails first, they are offered again, with the rows that must
 * be appended again, and after a crash, too.
 */
bool spool_take_evicted(struct spool *spool, uint64_t *first_seq, uint64_t *last_seq);

/* The sealed segment with the lowest number above AFTER (0 = any). False when there is none. */
bool spool_next_sealed(struct spool *spool, uint64_t after, struct spool_segment *segment);

/*
 * Opens a sealed segment for reading (a regular file, header and last line whole) and pins it: the
 * quota takes others while it is read. One segment is pinned at a time, until remove, unpin, or the
 * next open. -ENOENT: evicted meanwhile. -EBADMSG: damaged, moved to bad/. Go on with the next.
 */
int spool_open_segment(struct spool *spool, const struct spool_segment *segment, int *fd);

/*
 * The MD5 of SEGMENT as it was behind its commits: not of what the disk gives back by now. False
 * when it is not known: sealed by a former run or by a recovery, too long ago, unreadable then, or
 * not of that size.
 */
bool spool_segment_md5(struct spool *spool, const struct spool_segment *segment, uint8_t md5[16]);

/* The pinned segment was not acknowledged: it may be evicted again. The caller closes its fd. */
void spool_unpin(struct spool *spool);

/*
 * Deletes a segment that S3 has acknowledged. When the unlink fails the segment is remembered and
 * not offered again in this run.
 */
int spool_remove(struct spool *spool, const struct spool_segment *segment);

void spool_get_stats(struct spool *spool, struct spool_stats *stats);

#endif
