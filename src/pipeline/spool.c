/*
 * DESIGN. Two threads meet here. The writer owns the active segment and everything that changes
 * names; the uploader reads and deletes sealed segments, which nobody writes to any more. They
 * share the accounts and two reservations (`pinned`, `evicting`) under one mutex that is held for a
 * few instructions and never across a system call. What the uploader may be offered is one atomic
 * number, raised after the directory was synced.
 *
 * The writer allocates nothing after spool_open and keeps no list of segments: the directory is the
 * list.
 */
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* An eviction gives back a whole segment: it must not be most of the quota. */
#define SEGMENTS_PER_QUOTA 4

/* ---- accounts ---- */

int spool_note_failure(struct spool *spool, enum spool_failure what, int error)
{
    pthread_mutex_lock(&spool->mutex);
    spool->stats.write_errors += what == SPOOL_WRITE_FAILED;
    spool->stats.sync_errors += what == SPOOL_SYNC_FAILED;
    spool->stats.last_error = error;
    pthread_mutex_unlock(&spool->mutex);
    return error;
}

void spool_note_sealed(struct spool *spool, uint64_t number, uint64_t size)
{
    pthread_mutex_lock(&spool->mutex);
    spool->stats.sealed_bytes += size;
    spool->stats.sealed_segments++;
    if (number < spool->lowest_sealed) {
        spool->lowest_sealed = number;
    }
    pthread_mutex_unlock(&spool->mutex);
}

void spool_note_gone(struct spool *spool, uint64_t size)
{
    pthread_mutex_lock(&spool->mutex);
    struct spool_stats *stats = &spool->stats;
    stats->sealed_bytes -= size < stats->sealed_bytes ? size : stats->sealed_bytes;
    stats->sealed_segments -= stats->sealed_segments > 0;
    pthread_mutex_unlock(&spool->mutex);
}

void spool_forget_missing(struct spool *spool)
{
    struct spool_segment any;
    if (!spool_next_sealed(spool, 0, &any)) {
        pthread_mutex_lock(&spool->mutex);
        spool->stats.sealed_bytes = 0;
        spool->stats.sealed_segments = 0;
        pthread_mutex_unlock(&spool->mutex);
    }
}

static void note_active(struct spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    spool->stats.active_bytes = spool->active.fd >= 0 ? spool->active.size : 0;
    pthread_mutex_unlock(&spool->mutex);
}

void spool_get_stats(struct spool *spool, struct spool_stats *stats)
{
    pthread_mutex_lock(&spool->mutex);
    *stats = spool->stats;
    pthread_mutex_unlock(&spool->mutex);
}

/* ---- start and end ---- */

static void destroy(struct spool *spool)
{
    if (spool->active.fd >= 0) {
        close(spool->active.fd);
    }
    if (spool->dir_fd >= 0) {
        close(spool->dir_fd); // and with it the lock
    }
    pthread_mutex_destroy(&spool->mutex);
    free(spool);
}

// NULL, with *ERROR set, when it can't be.
static struct spool *create(const struct spool_config *config, int *error)
{
    struct spool *s = calloc(1, sizeof *s);
    if (s == NULL) {
        *error = -ENOMEM;
        return NULL;
    }
    s->config = *config;
    memcpy(s->dir, config->dir, strlen(config->dir) + 1);
    s->config.dir = s->dir;
    s->header_size = strlen(csv_header);
    s->active.fd = -1;
    s->lowest_sealed = UINT64_MAX;
    atomic_init(&s->next_number, 1);
    atomic_init(&s->offer_below, 1);
    pthread_mutex_init(&s->mutex, NULL); // default attributes: nothing that could fail
    // Until there is a directory, a descriptor in which every name fails with ENOTDIR.
    s->dir_fd = open("/dev/null", O_PATH | O_CLOEXEC);
    if (s->dir_fd < 0) {
        *error = -errno;
        destroy(s);
        return NULL;
    }
    return s;
}

// The disk refuses changes now and may allow them later.
static bool is_refusal(int error)
{
    return error == -EROFS || error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

int spool_open(struct spool **spool, const struct spool_config *config,
               struct spool_recovery *recovery)
{
    if (strlen(config->dir) >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    int error = 0;
    struct spool *s = create(config, &error);
    if (s == NULL) {
        return error;
    }
    *recovery = (struct spool_recovery){0};
    error = spool_enter(s);
    if (error == 0) {
        error = spool_recover(s, 0, recovery);
        // What can not be written now can be later; what can not be read leaves us not knowing
        // which seqs are in use.
        error = recovery->next_seq != 0 ? 0 : error;
    } else if (s->absent && is_refusal(error)) {
        *recovery = (struct spool_recovery){.next_seq = 1, .durable_below = 1};
        error = 0;
    }
    if (error != 0) {
        destroy(s);
        return error;
    }
    s->committed_seq = recovery->durable_below - 1;
    s->active.appended_seq = s->committed_seq;
    *spool = s;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (spool != NULL) {
        (void)spool_seal(spool); // what fails here is recovered by the next start
        destroy(spool);
    }
}

/* ---- the active segment ---- */

int spool_start_part(struct spool *spool, uint64_t first_seq, struct spool_active *active)
{
    struct spool_name name = {SPOOL_PART, 0, spool->config.boot_id, first_seq, 0};
    char text[SPOOL_NAME_MAX];
    int fd;
    do {
        name.number = atomic_fetch_add(&spool->next_number, 1);
        spool_name_format(text, &name);
        fd = openat(spool->dir_fd, text,
                    SPOOL_ACTIVE_FLAGS | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0) {
        int error = -errno;
        atomic_fetch_sub(&spool->next_number, 1); // only this thread changes it
        return error;
    }
    spool->dir_dirty = true;
    *active = (struct spool_active){.fd = fd, .name = name, .appended_seq = first_seq - 1};
    return 0;
}

// Back to what the disk is known to have. The file is given up unless KEEP and the cut succeeds.
static void drop_uncommitted(struct spool *spool, bool keep)
{
    struct spool_active *active = &spool->active;
    if (ftruncate(active->fd, (off_t)active->committed_size) != 0) {
        keep = false; // recovery cuts it, by the seq of the rows that come again
    }
    if (!keep) {
        close(active->fd);
        active->fd = -1;
        spool->recut = true;
    }
    active->size = active->committed_size;
    active->appended_seq = spool->committed_seq;
    spool_evictions_untold(spool);
    note_active(spool);
}

static int ensure_active(struct spool *spool, uint64_t first_seq)
{
    if (spool->active.fd >= 0) {
        return 0;
    }
    if (spool_is_lost(spool)) {
        spool->surveyed = false;
        spool->recut = false;
        int error = spool_enter(spool);
        if (error != 0) {
            return error;
        }
    }
    return spool_recover(spool, first_seq, NULL);
}

/* ---- append ---- */

static int write_all(int fd, struct iovec *iov, int count)
{
    while (count > 0) {
        ssize_t n = writev(fd, iov, count);
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        // A short write is usually a disk that fills up: the next one says why.
        for (size_t done = n > 0 ? (size_t)n : 0; count > 0; iov++, count--) {
            size_t part = done < iov->iov_len ? done : iov->iov_len;
            iov->iov_base = (char *)iov->iov_base + part;
            iov->iov_len -= part;
            done -= part;
            if (iov->iov_len > 0) {
                break;
            }
        }
    }
    return 0;
}

// The header goes with the first rows in one write: an empty .part is free, and flash is not.
static int write_rows(struct spool *spool, const char *rows, size_t size)
{
    union {
        const char *in;
        char *out;
    } header = {.in = csv_header}, text = {.in = rows}; // writev's iovec has no const
    struct iovec iov[2] = {
        {.iov_base = header.out, .iov_len = spool->active.size == 0 ? spool->header_size : 0},
        {.iov_base = text.out, .iov_len = size},
    };
    bool first = spool->active.size == 0;
    return write_all(spool->active.fd, first ? iov : iov + 1, first ? 2 : 1);
}

static int write_or_evict(struct spool *spool, const char *rows, size_t size)
{
    int error = write_rows(spool, rows, size);
    if ((error != -ENOSPC && error != -EDQUOT) || spool_evict_oldest(spool) != 0) {
        return error;
    }
    if (ftruncate(spool->active.fd, (off_t)spool->active.size) != 0) {
        return -errno;
    }
    return write_rows(spool, rows, size);
}

int spool_append(struct spool *spool, const char *rows, size_t size, uint64_t first_seq,
                 uint64_t last_seq)
{
    struct spool_active *active = &spool->active;
    if (size == 0 || first_seq > last_seq || first_seq <= active->appended_seq) {
        return -EINVAL; // a seq is never used twice
    }
    int error = ensure_active(spool, first_seq);
    if (error != 0) {
        spool_evictions_untold(spool);
        return spool_note_failure(spool, SPOOL_WRITE_FAILED, error);
    }
    spool_make_room(spool, size + spool->header_size);
    error = write_or_evict(spool, rows, size);
    if (error != 0) {
        drop_uncommitted(spool, is_refusal(error));
        return spool_note_failure(spool, SPOOL_WRITE_FAILED, error);
    }
    active->size += size + (active->size == 0 ? spool->header_size : 0);
    active->appended_seq = last_seq;
    note_active(spool);
    return 0;
}

/* ---- commit ---- */

static bool is_deleted(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static int sync_active(struct spool *spool)
{
    if (is_deleted(spool->active.fd)) {
        spool->surveyed = false; // whoever deleted it may have deleted more
        return -ESTALE;
    }
    int rc;
    do {
        rc = fdatasync(spool->active.fd);
    } while (rc != 0 && errno == EINTR); // interrupted before it began: not a verdict on the data
    return rc == 0 ? 0 : -errno;
}

int spool_commit(struct spool *spool)
{
    struct spool_active *active = &spool->active;
    if (active->fd < 0 || active->size == active->committed_size) {
        return 0;
    }
    if (spool->dir_dirty) {
        spool_sync_dir(spool);
    }
    int error = sync_active(spool);
    if (error != 0) {
        // The kernel may have dropped the dirty pages and call the next sync a success: nothing
        // may be concluded from this file's uncommitted part any more.
        drop_uncommitted(spool, false);
        return spool_note_failure(spool, SPOOL_SYNC_FAILED, error);
    }
    active->committed_size = active->size;
    spool->committed_seq = active->appended_seq;
    spool_evictions_told(spool);
    if (!spool->dir_dirty) {
        spool_note_failure(spool, SPOOL_OTHER_FAILED, 0); // all is well again
    }
    return 0;
}

/* ---- seal ---- */

bool spool_wants_seal(const struct spool *spool)
{
    uint64_t limit = spool->config.quota_bytes / SEGMENTS_PER_QUOTA;
    limit = spool->config.segment_max_bytes < limit ? spool->config.segment_max_bytes : limit;
    return spool->active.fd >= 0 && spool->active.size > 0 && spool->active.size >= limit;
}

int spool_rename_sealed(struct spool *spool, const struct spool_name *part, uint64_t size,
                        struct spool_name *sealed)
{
    *sealed = (struct spool_name){.kind = SPOOL_SEALED, .number = part->number};
    char from[SPOOL_NAME_MAX];
    char to[SPOOL_NAME_MAX];
    spool_name_format(from, part);
    spool_name_format(to, sealed);
    int error;
    while ((error = spool_rename(spool, from, to)) == -EEXIST) {
        sealed->number = atomic_fetch_add(&spool->next_number, 1);
        spool_name_format(to, sealed);
    }
    if (error == 0) {
        spool_note_sealed(spool, sealed->number, size);
    }
    return error;
}

void spool_offer_sealed(struct spool *spool)
{
    uint64_t end = atomic_load(&spool->next_number);
    bool active_is_last = spool->active.fd >= 0 && spool->active.name.number + 1 == end;
    atomic_store(&spool->offer_below, active_is_last ? end - 1 : end);
}

// Undoes spool_start_part.
static void abandon(struct spool *spool, const struct spool_active *next)
{
    char text[SPOOL_NAME_MAX];
    spool_name_format(text, &next->name);
    (void)unlinkat(spool->dir_fd, text, 0); // if it stays, recovery finds it empty
    close(next->fd);
}

int spool_seal(struct spool *spool)
{
    struct spool_active *active = &spool->active;
    int error = spool_commit(spool);
    if (error != 0 || active->fd < 0 || active->size == 0) {
        return error;
    }
    // The next .part first: at no instant is there a directory that does not say which seq follows,
    // and when it can not be made, this one simply stays active.
    struct spool_active next = {.fd = -1};
    error = spool_start_part(spool, active->appended_seq + 1, &next);
    if (error != 0) {
        return spool_note_failure(spool, SPOOL_OTHER_FAILED, error);
    }
    struct spool_name sealed;
    error = spool_rename_sealed(spool, &active->name, active->size, &sealed);
    if (error != 0) {
        abandon(spool, &next);
        return spool_note_failure(spool, SPOOL_OTHER_FAILED, error);
    }
    spool_digest_sealed(spool, sealed.number);
    close(active->fd);
    spool->active = next;
    note_active(spool);
    // Sealed is sealed even if this fails: the rows are durable under the one name or the other.
    spool_sync_dir(spool);
    spool_offer_sealed(spool);
    return 0;
}
