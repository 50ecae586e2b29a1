/*
 * DESIGN. An evicted segment is gone from S3's view, so the data must say so, and a kill between
 * the eviction and the row that tells of it must not make the loss a secret. So the segment is
 * renamed to a name that holds its seq range and then emptied: the name is the note to ourselves.
 * A start finds the notes; they are deleted once a row with `evicted=` is durable.
 *
 * A row that tells of losses may itself be evicted before anybody has seen it. What it told is then
 * told again: each such range gets a note of its own before the rows go.
 */
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- ranges on their way into a row ---- */

static bool touches(const struct spool_range *a, const struct spool_range *b)
{
    return a->boot_id == b->boot_id && a->first_seq <= b->last_seq + 1 &&
           b->first_seq <= a->last_seq + 1;
}

static void cover(struct spool_range *range, const struct spool_range *other)
{
    range->first_seq = other->first_seq < range->first_seq ? other->first_seq : range->first_seq;
    range->last_seq = other->last_seq > range->last_seq ? other->last_seq : range->last_seq;
}

static void drop_range(struct spool *spool, unsigned at)
{
    spool->eviction_count--;
    memmove(&spool->evictions[at], &spool->evictions[at + 1],
            (spool->eviction_count - at) * sizeof spool->evictions[0]);
}

// Those not yet taken are kept apart and rising, whatever the order in which notes are found. What
// finds no place waits in its note: never in a range that was taken, as nobody would tell it.
static void add_range(struct spool *spool, const struct spool_range *added)
{
    struct spool_range range = *added;
    for (unsigned i = spool->evictions_taken; i < spool->eviction_count;) {
        if (touches(&spool->evictions[i], &range)) {
            cover(&range, &spool->evictions[i]);
            drop_range(spool, i);
            i = spool->evictions_taken; // it may touch one that was passed
        } else {
            i++;
        }
    }
    if (spool->eviction_count == SPOOL_EVICTIONS_MAX) {
        spool->evictions_wait = true;
        return;
    }
    unsigned at = spool->eviction_count++;
    for (; at > spool->evictions_taken && spool->evictions[at - 1].first_seq > range.first_seq;
         at--) {
        spool->evictions[at] = spool->evictions[at - 1];
    }
    spool->evictions[at] = range;
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

static bool is_told(const struct spool_range *told, unsigned count, const struct spool_name *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (told[i].boot_id == name->boot_id && told[i].first_seq <= name->first_seq &&
            told[i].last_seq >= name->last_seq) {
            return true;
        }
    }
    return false;
}

// The rows that tell of COUNT ranges are durable. When no loss waits for a place, LEFT is 0 and
// that is all there was to tell. Else only what was told goes, and with LEFT at 0 the others' turn
// comes.
static void settle_notes(struct spool *spool, const struct spool_range *told, unsigned count,
                         unsigned left)
{
    bool some_wait = spool->evictions_wait;
    spool->evictions_wait = some_wait && left > 0;
    struct spool_walk walk;
    spool_walk_open(&walk, spool->dir_fd);
    for (const char *entry; (entry = spool_walk_next(&walk)) != NULL;) {
        struct spool_name name = spool_name_parse(entry);
        struct stat st = {.st_size = 0};
        if (name.kind != SPOOL_EVICTED) {
            continue;
        }
        (void)fstatat(spool->dir_fd, entry, &st, AT_SYMLINK_NOFOLLOW);
        if (!some_wait || (st.st_size == 0 && is_told(told, count, &name))) {
            // A note that stays is told again after a restart: the same range, no harm.
            (void)unlinkat(spool->dir_fd, entry, 0);
        } else if (left == 0) {
            spool_restore_eviction(spool, &name, (uint64_t)st.st_size);
        }
    }
    spool_walk_close(&walk);
}

void spool_evictions_told(struct spool *spool)
{
    unsigned count = spool->evictions_taken;
    unsigned left = spool->eviction_count - count;
    if (count == 0) {
        return;
    }
    struct spool_range told[SPOOL_EVICTIONS_MAX];
    memcpy(told, spool->evictions, count * sizeof told[0]);
    memmove(spool->evictions, spool->evictions + count, left * sizeof told[0]);
    spool->eviction_count = left;
    spool->evictions_taken = 0;
    if (left == 0 || spool->evictions_wait) {
        settle_notes(spool, told, count, left);
    }
}

void spool_evictions_untold(struct spool *spool)
{
    spool->evictions_taken = 0;
}

/* ---- reading what is given up ---- */

struct victim_rows {
    struct spool *spool;
    struct spool_name name; /* its range, as read so far */
    uint64_t rows;
};

static int read_row(void *ctx, const char *row, size_t size)
{
    struct victim_rows *reading = ctx;
    struct csv_key key;
    struct csv_losses losses;
    if (csv_parse_key(row, size, &key) != 0 || csv_parse_losses(row, size, &losses) != 0) {
        return 0; // the header
    }
    struct spool_name *name = &reading->name;
    if (reading->rows++ == 0) {
        name->boot_id = key.boot_id;
        // What the full ring dropped just before is told by this row alone.
        name->first_seq = losses.dropped < key.seq ? key.seq - losses.dropped : 1;
    }
    name->last_seq = key.seq;
    return key.boot_id == name->boot_id ? 0 : -EBADMSG;
}

// Notes for the losses that a row of the file tells of.
static int inherit_row(void *ctx, const char *row, size_t size)
{
    struct victim_rows *reading = ctx;
    struct csv_losses losses;
    if (csv_parse_losses(row, size, &losses) != 0 || losses.evicted_last == 0) {
        return 0;
    }
    struct spool_name name = reading->name;
    name.first_seq = losses.evicted_first;
    name.last_seq = losses.evicted_last;
    char note[SPOOL_NAME_MAX];
    spool_name_format(note, &name);
    int fd = openat(reading->spool->dir_fd, note,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    } else if (errno != EEXIST) {
        return -errno;
    }
    add_range(reading->spool, &(struct spool_range){name.boot_id, name.first_seq, name.last_seq});
    return 0;
}

// From a segment that bears the name of a note: its rows are given up, what they told is not. A
// kill in between leaves a note that is not empty, and the next start does the same again.
static void empty_note(struct spool *spool, const struct spool_name *name)
{
    struct victim_rows reading = {.spool = spool, .name = *name};
    char note[SPOOL_NAME_MAX];
    spool_name_format(note, name);
    uint64_t size = 0;
    int fd = spool_open_regular(spool->dir_fd, note, O_RDWR, &size);
    if (fd < 0) {
        return;
    }
    int error = size > 0 ? spool_each_row(fd, inherit_row, &reading) : 0;
    spool->evictions_wait |= error != 0; // its rows still hold what was not noted
    // The names must be on disk before the content goes, or a power cut leaves a segment that is
    // empty and says nothing.
    spool_sync_dir(spool);
    if (error == 0 && size > 0 && ftruncate(fd, 0) != 0) {
        spool_note_failure(spool, SPOOL_WRITE_FAILED, -errno); // the next start empties it
    }
    close(fd);
}

void spool_restore_eviction(struct spool *spool, const struct spool_name *name, uint64_t size)
{
    if (size > 0) {
        empty_note(spool, name);
    }
    add_range(spool, &(struct spool_range){name->boot_id, name->first_seq, name->last_seq});
}

/* ---- evicting ---- */

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
                       struct victim_rows *reading)
{
    *reading = (struct victim_rows){.spool = spool,
                                    .name = {.kind = SPOOL_EVICTED, .number = victim->number}};
    uint64_t size;
    int fd = spool_open_regular(spool->dir_fd, victim->name, O_RDONLY, &size);
    if (fd < 0) {
        return fd;
    }
    int error = spool_each_row(fd, read_row, reading);
    close(fd);
    return error == 0 && reading->rows == 0 ? -EBADMSG : error;
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
    struct victim_rows reading;
    int error = -EIO;
    for (int tries = 0; error == -EIO && tries < SPOOL_READ_TRIES; tries++) {
        error = read_victim(spool, victim, &reading);
    }
    if (error == -EBADMSG || error == -EIO) {
        return remove_damaged(spool, victim, error);
    }
    const struct spool_name *name = &reading.name;
    char note[SPOOL_NAME_MAX];
    spool_name_format(note, name);
    if (error == 0) {
        error = spool_rename(spool, victim->name, note);
    }
    if (error != 0) {
        return error;
    }
    empty_note(spool, name);
    spool_note_gone(spool, victim->size);
    add_range(spool, &(struct spool_range){name->boot_id, name->first_seq, name->last_seq});
    pthread_mutex_lock(&spool->mutex);
    spool->stats.evicted_segments++;
    spool->stats.evicted_rows += reading.rows;
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
