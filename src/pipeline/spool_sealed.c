#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Numbers tried one by one before the directory is read: gaps are short unless much was deleted. */
#define PROBES_MAX 64

/* ---- acknowledged, but still there ---- */

// The last number of the acknowledged range that NUMBER is in; 0 when it is in none. Under the
// mutex.
static uint64_t done_until(const struct spool *spool, uint64_t number)
{
    for (unsigned i = 0; i < spool->done_count; i++) {
        if (number >= spool->done[i].first && number <= spool->done[i].last) {
            return spool->done[i].last;
        }
    }
    return 0;
}

// Segments are acknowledged oldest first, so a range that grows at its end is the usual case. No
// place left: the segment may be offered, and uploaded, a second time; its rows are recognisable.
static void add_done(struct spool *spool, uint64_t number)
{
    for (unsigned i = 0; i < spool->done_count; i++) {
        if (spool->done[i].last + 1 == number) {
            spool->done[i].last = number;
            return;
        }
    }
    if (spool->done_count < SPOOL_DONE_MAX) {
        spool->done[spool->done_count++] = (struct spool_done){number, number};
    }
}

/* ---- finding ---- */

static bool look_up(const struct spool *spool, uint64_t number, struct spool_segment *segment)
{
    char name[SPOOL_NAME_MAX];
    struct stat st;
    spool_name_format(name, &(struct spool_name){.kind = SPOOL_SEALED, .number = number});
    if (fstatat(spool->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    segment->number = number;
    segment->size = (uint64_t)st.st_size;
    memcpy(segment->name, name, strlen(name) + 1);
    return true;
}

// The lowest sealed number above AFTER by reading the whole directory; 0 when there is none.
static uint64_t lowest_above(const struct spool *spool, uint64_t after)
{
    struct spool_walk walk;
    uint64_t lowest = 0;
    spool_walk_open(&walk, spool->dir_fd);
    for (const char *entry; (entry = spool_walk_next(&walk)) != NULL;) {
        struct spool_name name = spool_name_parse(entry);
        if (name.kind == SPOOL_SEALED && name.number > after &&
            (lowest == 0 || name.number < lowest)) {
            lowest = name.number;
        }
    }
    spool_walk_close(&walk);
    return lowest;
}

// Any regular file with a sealed name above AFTER, up to what may be offered.
static bool find_file(struct spool *spool, uint64_t after, struct spool_segment *segment)
{
    uint64_t end = atomic_load(&spool->offer_below);
    for (unsigned probes = 0; ++after < end; probes++) {
        if (probes == PROBES_MAX) {
            after = lowest_above(spool, after - 1);
            if (after == 0) {
                return false;
            }
        }
        if (look_up(spool, after, segment)) {
            return true;
        }
    }
    return false;
}

static int delete_segment(struct spool *spool, const struct spool_segment *segment)
{
    // Without a .part the newest segment is what says where numbering goes on: it stays for now.
    if (!atomic_load(&spool->has_part) && segment->number + 1 == atomic_load(&spool->next_number)) {
        return -EAGAIN;
    }
    if (unlinkat(spool->dir_fd, segment->name, 0) == 0) {
        spool_note_gone(spool, segment->size);
        return 0;
    }
    return errno == ENOENT ? 0 : -errno;
}

bool spool_next_sealed(struct spool *spool, uint64_t after, struct spool_segment *segment)
{
    pthread_mutex_lock(&spool->mutex);
    bool from_start = after < spool->lowest_sealed;
    after = from_start ? spool->lowest_sealed - 1 : after;
    pthread_mutex_unlock(&spool->mutex);
    bool can_delete = true;
    while (find_file(spool, after, segment)) {
        pthread_mutex_lock(&spool->mutex);
        uint64_t until = done_until(spool, segment->number);
        spool->lowest_sealed = from_start ? segment->number : spool->lowest_sealed;
        pthread_mutex_unlock(&spool->mutex);
        if (until == 0) {
            return true;
        }
        // The disk may have healed. While it has not, one try is enough, and the range is passed.
        can_delete = can_delete && delete_segment(spool, segment) == 0;
        from_start = from_start && can_delete;
        after = can_delete ? segment->number : until;
    }
    return false;
}

/* ---- reading ---- */

// A segment is whole when it starts with a header and ends with a line: what an older version
// wrote has other columns and is as good.
static int check_whole(int fd, uint64_t size)
{
    const char *comma = strchr(csv_header, ',');
    size_t length = (size_t)(comma - csv_header) + 1;
    char start[CSV_ROW_MAX];
    char end;
    if (size <= length) {
        return -EBADMSG;
    }
    // A read that fails says nothing about the segment: it stays and is tried again later.
    if (pread(fd, start, length, 0) != (ssize_t)length ||
        pread(fd, &end, 1, (off_t)(size - 1)) != 1) {
        return -EIO;
    }
    return memcmp(start, csv_header, length) == 0 && end == '\n' ? 0 : -EBADMSG;
}

static bool pin(struct spool *spool, uint64_t number)
{
    pthread_mutex_lock(&spool->mutex);
    bool free = spool->evicting != number;
    if (free) {
        spool->pinned = number;
    }
    pthread_mutex_unlock(&spool->mutex);
    return free;
}

void spool_unpin(struct spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    spool->pinned = 0;
    pthread_mutex_unlock(&spool->mutex);
}

int spool_open_segment(struct spool *spool, const struct spool_segment *segment, int *fd)
{
    if (!pin(spool, segment->number)) {
        return -ENOENT;
    }
    uint64_t size;
    int opened = spool_open_regular(spool->dir_fd, segment->name, O_RDONLY, &size);
    int error = opened < 0 ? opened : check_whole(opened, size);
    if (error == 0) {
        *fd = opened;
        return 0;
    }
    if (opened >= 0) {
        close(opened);
    }
    if (error == -EBADMSG && spool_quarantine(spool, segment->name)) {
        spool_note_gone(spool, segment->size);
    }
    spool_unpin(spool);
    return error;
}

int spool_remove(struct spool *spool, const struct spool_segment *segment)
{
    int error = delete_segment(spool, segment);
    pthread_mutex_lock(&spool->mutex);
    spool->pinned = spool->pinned == segment->number ? 0 : spool->pinned;
    if (error != 0) {
        add_done(spool, segment->number);
    }
    pthread_mutex_unlock(&spool->mutex);
    return error == -EAGAIN ? 0 : error;
}
