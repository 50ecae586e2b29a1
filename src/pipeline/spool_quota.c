/*
 * DESIGN. An evicted segment is gone from S3's view, so the data must say so, and a kill between
 * the eviction and the row that tells of it must not make the loss a secret. So the segment is
 * renamed to a name that holds its seq range and then emptied: the name is the note to ourselves.
 * A start finds the notes; they are deleted once a row with `evicted=` is durable.
 */
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- ranges on their way into a row ---- */

static bool joins(const struct spool_range *a, const struct spool_range *b)
{
    return a->boot_id == b->boot_id && a->last_seq + 1 == b->first_seq;
}

static void add_range(struct spool *spool, const struct spool_range *range)
{
    unsigned n = spool->eviction_count;
    struct spool_range *last = n > spool->evictions_taken ? &spool->evictions[n - 1] : NULL;
    if (last != NULL && joins(last, range)) {
        last->last_seq = range->last_seq;
    } else if (n < SPOOL_EVICTIONS_MAX) {
        spool->evictions[n] = *range;
        spool->eviction_count++;
    } else {
        // No place left: one range that covers both is too wide rather than silent.
        struct spool_range *cover = &spool->evictions[SPOOL_EVICTIONS_MAX - 1];
        cover->first_seq =
            range->first_seq < cover->first_seq ? range->first_seq : cover->first_seq;
        cover->last_seq = range->last_seq > cover->last_seq ? range->last_seq : cover->last_seq;
    }
}

bool spool_take_evicted(struct spool *spool, uint64_t *first_seq, uint64_t *last_seq)
{
    if (spool->evictions_taken == spool->eviction_count) {
        return false;
    }
    const struct spool_range *range = &spool->evictions[spool->evictions_taken++];
    *first_seq = range->first_seq;
    *last_seq = range->last_seq;
    return true;
}

static void delete_notes(struct spool *spool)
{
    struct spool_walk walk;
    spool_walk_open(&walk, spool->dir_fd);
    for (const char *entry; (entry = spool_walk_next(&walk)) != NULL;) {
        if (spool_name_parse(entry).kind == SPOOL_EVICTED) {
            // A note that stays is told again after a restart: the same range, no harm.
            (void)unlinkat(spool->dir_fd, entry, 0);
        }
    }
    spool_walk_close(&walk);
}

void spool_evictions_told(struct spool *spool)
{
    if (spool->evictions_taken == 0) {
        return;
    }
    unsigned left = spool->eviction_count - spool->evictions_taken;
    memmove(spool->evictions, spool->evictions + spool->evictions_taken,
            left * sizeof spool->evictions[0]);
    spool->eviction_count = left;
    spool->evictions_taken = 0;
    if (left == 0) {
        delete_notes(spool);
    }
}

void spool_evictions_untold(struct spool *spool)
{
    spool->evictions_taken = 0;
}

/* ---- evicting ---- */

// Empties a note; its rows are given up already.
static void empty_note(struct spool *spool, const char *note)
{
    uint64_t size;
    int fd = spool_open_regular(spool->dir_fd, note, O_WRONLY | O_TRUNC, &size);
    if (fd >= 0) {
        close(fd);
    }
}

void spool_restore_eviction(struct spool *spool, const struct spool_name *name)
{
    char note[SPOOL_NAME_MAX];
    spool_name_format(note, name);
    empty_note(spool, note);
    add_range(spool, &(struct spool_range){name->boot_id, name->first_seq, name->last_seq});
}

// The oldest sealed segment above AFTER that the uploader is not reading, reserved for the writer.
static bool choose_victim(struct spool *spool, uint64_t after, struct spool_segment *victim)
{
    while (spool_next_sealed(spool, after, victim)) {
        after = victim->number;
        // Without a .part the newest segment is what says where numbering goes on.
        bool needed = !atomic_load(&spool->has_part) &&
                      victim->number + 1 == atomic_load(&spool->next_number);
        pthread_mutex_lock(&spool->mutex);
        bool free = spool->pinned != victim->number && !needed;
        spool->evicting = free ? victim->number : 0;
        pthread_mutex_unlock(&spool->mutex);
        if (free) {
            return true;
        }
    }
    return false;
}

static int read_victim(struct spool *spool, const struct spool_segment *victim,
                       struct spool_name *note)
{
    uint64_t size;
    int fd = spool_open_regular(spool->dir_fd, victim->name, O_RDONLY, &size);
    if (fd < 0) {
        return fd;
    }
    struct csv_key first;
    struct csv_key last;
    int error = spool_read_range(fd, size, &first, &last);
    close(fd);
    if (error == 0 && (first.boot_id != last.boot_id || first.seq > last.seq)) {
        error = -EBADMSG;
    }
    *note = (struct spool_name){.kind = SPOOL_EVICTED, .number = victim->number};
    if (error == 0) {
        note->boot_id = first.boot_id;
        note->first_seq = first.seq;
        note->last_seq = last.seq;
    }
    return error;
}

// Its range can not be told: out of the way, and counted as damaged. What is known to be no segment
// of ours is deleted when bad/ can not take it; what merely can not be read is not.
static int remove_damaged(struct spool *spool, const struct spool_segment *victim, int error)
{
    if (!spool_quarantine(spool, victim->name) &&
        (error != -EBADMSG || unlinkat(spool->dir_fd, victim->name, 0) != 0)) {
        return error;
    }
    spool_note_gone(spool, victim->size);
    return 0;
}

static int evict(struct spool *spool, const struct spool_segment *victim)
{
    struct spool_name name;
    int error = -EIO;
    for (int tries = 0; error == -EIO && tries < SPOOL_READ_TRIES; tries++) {
        error = read_victim(spool, victim, &name);
    }
    if (error == -EBADMSG || error == -EIO) {
        return remove_damaged(spool, victim, error);
    }
    char note[SPOOL_NAME_MAX];
    spool_name_format(note, &name);
    if (error == 0) {
        error = spool_rename(spool, victim->name, note);
    }
    if (error != 0) {
        return error;
    }
    // The name must be on disk before the content goes, or a power cut leaves a segment that is
    // empty and says nothing.
    spool_sync_dir(spool);
    empty_note(spool, note);
    spool_note_gone(spool, victim->size);
    add_range(spool, &(struct spool_range){name.boot_id, name.first_seq, name.last_seq});
    pthread_mutex_lock(&spool->mutex);
    spool->stats.evicted_segments++;
    spool->stats.evicted_rows += name.last_seq - name.first_seq + 1;
    pthread_mutex_unlock(&spool->mutex);
    return 0;
}

int spool_evict_oldest(struct spool *spool)
{
    struct spool_segment victim = {.number = 0};
    int error = -ENOSPC;
    while (error != 0 && choose_victim(spool, victim.number, &victim)) {
        error = evict(spool, &victim); // one that can not go must not protect the others
    }
    pthread_mutex_lock(&spool->mutex);
    spool->evicting = 0;
    pthread_mutex_unlock(&spool->mutex);
    if (victim.number == 0) {
        spool_forget_missing(spool);
    }
    return error;
}

/* ---- room ---- */

static uint64_t used_bytes(struct spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    uint64_t used = spool->stats.sealed_bytes + spool->stats.active_bytes;
    pthread_mutex_unlock(&spool->mutex);
    return used;
}

static bool reserve_is_touched(const struct spool *spool, uint64_t size)
{
    struct statvfs fs;
    if (fstatvfs(spool->dir_fd, &fs) != 0) {
        return false;
    }
    return (uint64_t)fs.f_bavail * fs.f_frsize < spool->config.keep_free_bytes + size;
}

void spool_make_room(struct spool *spool, uint64_t size)
{
    uint64_t before = used_bytes(spool);
    for (;;) {
        uint64_t used = used_bytes(spool);
        bool over_quota = used + size > spool->config.quota_bytes;
        // When others fill the disk we do not grow, but neither do we throw away a backlog that
        // would not help them for long: each byte written costs one evicted.
        bool must_shrink = before - used < size && reserve_is_touched(spool, size);
        if ((!over_quota && !must_shrink) || spool_evict_oldest(spool) != 0) {
            return;
        }
    }
}
