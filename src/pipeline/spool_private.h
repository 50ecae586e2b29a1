/*
 * Shared by the bodies of the spool only; include/pipeline/spool.h is the contract.
 *
 *   spool.c          the writer's calls: append, commit, seal, start and end
 *   spool_recover.c  a .part as a crash left it -> a sealed segment; the whole directory at start
 *   spool_rescue.c   the bytes of one .part: keep the whole rows, drop the rest
 *   spool_quota.c    room for new rows: evicting the oldest sealed segment and saying so
 *   spool_sealed.c   the uploader's calls: next, open, unpin, remove
 *   spool_digest.c   the MD5 of what is committed, for the upload's checksum
 *   spool_dir.c      the directory: entering and locking it, walking it, bad/
 *   spool_name.c     file names
 */
#ifndef PIPELINE_SPOOL_PRIVATE_H
#define PIPELINE_SPOOL_PRIVATE_H

#include "base/md5.h"
#include "core/csv.h"
#include "pipeline/spool.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

/* ---- names ---- */

#define SPOOL_NAME_MAX   96
#define SPOOL_NUMBER_MAX UINT64_C(999999999999999)
#define SPOOL_BAD_DIR    "bad"

enum spool_kind {
    SPOOL_STRANGER,
    SPOOL_SEALED,  /* 0000000041.csv */
    SPOOL_PART,    /* 0000000042-1a2b3c4d-3601.csv.part: boot id, first seq */
    SPOOL_EVICTED, /* 0000000007-1a2b3c4d-1-3600.evicted: empty; lost, not yet told in a row */
};

struct spool_name {
    enum spool_kind kind;
    uint64_t number;
    uint32_t boot_id;
    uint64_t first_seq;
    uint64_t last_seq;
};

/* Writes the file name of NAME, which is no stranger, to OUT. */
void spool_name_format(char out[SPOOL_NAME_MAX], const struct spool_name *name);

/* The reverse: SPOOL_STRANGER for everything that spool_name_format would not write. */
struct spool_name spool_name_parse(const char *text);

/* ---- rows of one file ---- */

/* A read error may be a hiccup; the same one three times is a bad block. */
#define SPOOL_READ_TRIES 3

/* What of a file may be kept: rows of BOOT_ID with FROM_SEQ <= seq < BELOW_SEQ, rising. */
struct spool_keep {
    uint32_t boot_id;
    uint64_t from_seq;
    uint64_t below_seq;
    bool look_only; /* change nothing: the disk is read-only, but its seqs are used */
};

struct spool_rescue {
    uint64_t rows;
    uint64_t first_seq;
    uint64_t last_seq;
    uint64_t size;       /* of the file now */
    uint64_t torn_bytes; /* taken out of it */
    bool write_failed;   /* the -errno is of a write: the file is good and the disk is not */
};

/*
 * Makes of FD (read-write, SIZE bytes) a header and its whole rows, in place; a second run after a
 * kill at any point ends at the same file. A file without a row is left empty. Not synced.
 * 0, -EBADMSG when the file is not one of ours, or the -errno of the disk.
 */
int spool_rescue_rows(int fd, uint64_t size, const struct spool_keep *keep,
                      struct spool_rescue *rescue);

/* Calls ON_ROW with each whole row of FD until it returns an error, and returns that; 0 or -errno.
 */
int spool_each_row(int fd, int (*on_row)(void *ctx, const char *row, size_t size), void *ctx);

/* The keys of the first and the last row of a whole segment. 0, -EBADMSG or -errno. */
int spool_read_range(int fd, uint64_t size, struct csv_key *first, struct csv_key *last);

/* ---- the directory ---- */

/* Reads names without allocating. ERROR is 0 or -errno once next has returned NULL. */
struct spool_walk {
    int fd;
    int error;
    size_t at;
    size_t len;
    _Alignas(uint64_t) char buffer[8192];
};

void spool_walk_open(struct spool_walk *walk, int dir_fd);
const char *spool_walk_next(struct spool_walk *walk);
void spool_walk_close(struct spool_walk *walk);

/* ---- the spool ---- */

struct spool_range {
    uint32_t boot_id;
    uint64_t first_seq;
    uint64_t last_seq;
};

/* Segments that are acknowledged and could not be deleted; merged, so a few ranges go far. */
#define SPOOL_DONE_MAX 64
struct spool_done {
    uint64_t first;
    uint64_t last;
};

/* Lost ranges on their way into a row; contiguous ones are merged. */
#define SPOOL_EVICTIONS_MAX 8

/* The commits append to it, the checksum reads it back. */
#define SPOOL_ACTIVE_FLAGS (O_RDWR | O_APPEND)

struct spool_active {
    int fd; /* -1: none; append tries to start one */
    struct spool_name name;
    uint64_t size;
    uint64_t committed_size;
    uint64_t appended_seq;
    uint64_t digested;    /* how far the MD5 has come, within what is committed */
    struct md5_state md5; /* of the first `digested` bytes; when that is 0: not begun */
    bool unreadable;      /* no MD5 will come of it */
};

/* The newest sealed segments whose MD5 is known: more than two days at one an hour. */
#define SPOOL_DIGESTS_MAX 64
struct spool_digest {
    uint64_t number; /* 0 = none */
    uint64_t size;
    uint8_t md5[MD5_BYTES];
};

struct spool {
    char dir[PATH_MAX];
    struct spool_config config;
    size_t header_size;
    int dir_fd; /* keeps its number for life: a recreated directory is put under the same one */

    /* Writer only. */
    struct spool_active active;
    uint64_t committed_seq; /* of this boot; rows up to here are durable, the next are above */
    bool entered;           /* dir_fd is a locked directory */
    bool absent;            /* when last entered there was no directory: no seq is in use */
    bool surveyed;          /* the accounts below are those of this directory */
    bool recut;             /* a .part here may hold rows that will be appended again */
    bool dir_dirty;         /* a name was made or changed and no fsync of the directory succeeded */
    struct spool_range evictions[SPOOL_EVICTIONS_MAX];
    unsigned eviction_count;
    unsigned evictions_taken; /* the first ones: handed to the writer, not yet committed */
    bool evictions_wait;      /* a note tells of losses that are not among them */

    /* Without the mutex. */
    _Atomic uint64_t next_number; /* above every number ever seen here */
    _Atomic uint64_t offer_below; /* sealed names below are durable: the uploader may have them */
    _Atomic int bad_entries; /* in bad/; -1 = not counted yet; a race costs one entry too many */
    atomic_bool has_part;    /* a .part exists that says where numbering goes on */

    pthread_mutex_t mutex; /* guards all below */
    struct spool_stats stats;
    uint64_t lowest_sealed; /* no sealed segment has a lower number */
    uint64_t pinned;        /* the uploader is reading it; 0 = none */
    uint64_t evicting;      /* the writer is about to take it away; 0 = none */
    struct spool_done done[SPOOL_DONE_MAX];
    unsigned done_count;
    struct spool_digest digests[SPOOL_DIGESTS_MAX];
    unsigned next_digest; /* the place of the next one: of the oldest */
};

/* Counts a failure (-errno) in the statistics and returns it. */
enum spool_failure { SPOOL_WRITE_FAILED, SPOOL_SYNC_FAILED, SPOOL_OTHER_FAILED };
int spool_note_failure(struct spool *spool, enum spool_failure what, int error);

/* Accounts for a sealed segment that came or went. */
void spool_note_sealed(struct spool *spool, uint64_t number, uint64_t size);
void spool_note_gone(struct spool *spool, uint64_t size);
/* Nothing sealed was found: somebody else deleted what is still accounted for. Writer only. */
void spool_forget_missing(struct spool *spool);

/* fsync of the directory; a failure is counted and tried again with the next commit. */
void spool_sync_dir(struct spool *spool);

/* Creates (when missing), opens and locks the directory as dir_fd. 0 or -errno. */
int spool_enter(struct spool *spool);

/* True when the directory was deleted under us, or never entered. */
bool spool_is_lost(const struct spool *spool);

/*
 * Counts a bad entry and moves it to bad/, strangers only while there are few. False: it could not
 * be moved and stays where it is.
 */
bool spool_quarantine(struct spool *spool, const char *name);

/* Renames without ever replacing a file, where the file system can tell. 0 or -errno. */
int spool_rename(struct spool *spool, const char *from, const char *to);

/* Opens an existing regular file, never anything else. fd or -errno (-EBADMSG: something else). */
int spool_open_regular(int dir_fd, const char *name, int flags, uint64_t *size);

/*
 * Recovers the directory, at start and after trouble alike: seals every .part that has rows, and
 * starts a new active segment for FIRST_SEQ (0, only at start: for what comes after the rows
 * found). Rows from FIRST_SEQ on in a .part that failed in this run are cut: they are about to be
 * appended again.
 * FOUND, when given and zeroed, gets what was found; its next_seq stays 0 when not even the seqs in
 * use could be read. 0 or -errno; then there is no active segment.
 */
int spool_recover(struct spool *spool, uint64_t first_seq, struct spool_recovery *found);

/* Creates the .part of the next free number for FIRST_SEQ as ACTIVE. 0 or -errno. */
int spool_start_part(struct spool *spool, uint64_t first_seq, struct spool_active *active);

/*
 * Renames a .part to its sealed name, or to a higher number when that is taken, and accounts for
 * it. SEALED gets that name. 0 or -errno.
 */
int spool_rename_sealed(struct spool *spool, const struct spool_name *part, uint64_t size,
                        struct spool_name *sealed);

/* The directory was synced: the uploader may have all that is sealed, but not what will be. */
void spool_offer_sealed(struct spool *spool);

/* The active segment, all of it committed, was sealed as NUMBER. Before the uploader is offered it.
 */
void spool_digest_sealed(struct spool *spool, uint64_t number);

/* Evicts until SIZE more bytes fit; gives up silently: the write itself decides. */
void spool_make_room(struct spool *spool, uint64_t size);
/* Evicts one segment. 0, or -ENOSPC when there is none to evict, or -errno. */
int spool_evict_oldest(struct spool *spool);
/* A note of SIZE bytes: what a former run evicted and did not tell. */
void spool_restore_eviction(struct spool *spool, const struct spool_name *name, uint64_t size);
/* The rows that told of the taken evictions are durable / must be written again. */
void spool_evictions_told(struct spool *spool);
void spool_evictions_untold(struct spool *spool);

#endif
