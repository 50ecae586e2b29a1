#include "spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAD_ENTRIES_MAX 64
#define BAD_NAMES       8 /* name, name.1 .. name.7 */

/* ---- walking ---- */

void spool_walk_open(struct spool_walk *walk, int dir_fd)
{
    walk->at = 0;
    walk->len = 0;
    // A descriptor of its own: the position in the directory belongs to the open file.
    walk->fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    walk->error = walk->fd < 0 ? -errno : 0;
}

static bool refill(struct spool_walk *walk)
{
    // getdents64 rather than readdir: opendir allocates, and the writer walks too.
    ssize_t n = getdents64(walk->fd, walk->buffer, sizeof walk->buffer);
    walk->at = 0;
    walk->len = n > 0 ? (size_t)n : 0;
    // A directory deleted under us reads as ENOENT: nothing is in it.
    walk->error = n < 0 && errno != ENOENT ? -errno : 0;
    return n > 0;
}

const char *spool_walk_next(struct spool_walk *walk)
{
    while (walk->error == 0) {
        if (walk->at >= walk->len && !refill(walk)) {
            return NULL;
        }
        const struct dirent64 *entry = (const void *)(walk->buffer + walk->at);
        walk->at += entry->d_reclen;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            return entry->d_name;
        }
    }
    return NULL;
}

void spool_walk_close(struct spool_walk *walk)
{
    if (walk->fd >= 0) {
        close(walk->fd);
    }
}

/* ---- entering ---- */

// Creates DIR, and the folder it is in when that is missing too; not the whole path, so that a
// typing error does not grow a tree.
static int make_dir(const char *dir)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST) {
        return 0;
    }
    char parent[PATH_MAX];
    memcpy(parent, dir, strlen(dir) + 1);
    char *slash = strrchr(parent, '/');
    if (errno != ENOENT || slash == NULL || slash == parent) {
        return -errno;
    }
    *slash = '\0';
    if (mkdir(parent, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    return mkdir(dir, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int open_and_lock(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    // The directory itself is locked: that works on a full and on a read-only disk, where no lock
    // file could be made, and nobody can delete the lock without deleting the spool.
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
        return error;
    }
    // Not ours to insist on: the mode of a mounted card may be fixed.
    (void)fchmod(fd, 0700);
    return fd;
}

int spool_enter(struct spool *spool)
{
    int fd = open_and_lock(spool->dir);
    spool->absent = fd == -ENOENT;
    if (spool->absent) {
        int error = make_dir(spool->dir);
        if (error != 0) {
            return error;
        }
        fd = open_and_lock(spool->dir);
    }
    if (fd < 0) {
        return fd;
    }
    // Under the old number, atomically: the uploader may be using it at this moment.
    int error = dup3(fd, spool->dir_fd, O_CLOEXEC) < 0 ? -errno : 0;
    close(fd);
    spool->entered = error == 0;
    spool->bad_entries = -1;
    return error;
}

bool spool_is_lost(const struct spool *spool)
{
    struct stat st;
    return !spool->entered || (fstat(spool->dir_fd, &st) == 0 && st.st_nlink == 0);
}

void spool_sync_dir(struct spool *spool)
{
    // EINVAL: a file system where directories can not be synced has nothing more to promise.
    if (fsync(spool->dir_fd) == 0 || errno == EINVAL) {
        spool->dir_dirty = false;
        return;
    }
    spool_note_failure(spool, SPOOL_SYNC_FAILED, -errno);
    spool->dir_dirty = true;
}

/* ---- files ---- */

int spool_open_regular(int dir_fd, const char *name, int flags, uint64_t *size)
{
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    // Looked at before opening: opening a device may do things.
    if (!S_ISREG(st.st_mode)) {
        return -EBADMSG;
    }
    int fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ELOOP ? -EBADMSG : -errno;
    }
    int error = fstat(fd, &st) != 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EBADMSG;
    if (error != 0) {
        close(fd);
        return error;
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

static int rename_noreplace(int from_fd, const char *from, int to_fd, const char *to)
{
    if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -errno;
    }
    // A file system that can not refuse: look first. The directory is locked and ours alone.
    struct stat st;
    if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return -EEXIST;
    }
    return renameat(from_fd, from, to_fd, to) == 0 ? 0 : -errno;
}

int spool_rename(struct spool *spool, const char *from, const char *to)
{
    return rename_noreplace(spool->dir_fd, from, spool->dir_fd, to);
}

/* ---- bad/ ---- */

static int open_bad_dir(struct spool *spool)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(spool->dir_fd, SPOOL_BAD_DIR, flags);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        // Somebody's file or link bears the name: it is a stranger like the others.
        int error = spool_rename(spool, SPOOL_BAD_DIR, "not-" SPOOL_BAD_DIR);
        if (error != 0) {
            return error;
        }
        errno = ENOENT;
    }
    if (fd < 0 && errno == ENOENT && mkdirat(spool->dir_fd, SPOOL_BAD_DIR, 0700) == 0) {
        fd = openat(spool->dir_fd, SPOOL_BAD_DIR, flags);
    }
    return fd < 0 ? -errno : fd;
}

static int count_entries(int dir_fd)
{
    struct spool_walk walk;
    int count = 0;
    spool_walk_open(&walk, dir_fd);
    while (count < BAD_ENTRIES_MAX && spool_walk_next(&walk) != NULL) {
        count++;
    }
    spool_walk_close(&walk);
    return count;
}

static int move_to(struct spool *spool, const char *name, int bad_fd)
{
    char target[NAME_MAX + 1];
    int error = rename_noreplace(spool->dir_fd, name, bad_fd, name);
    for (int i = 1; error == -EEXIST && i < BAD_NAMES; i++) {
        int length = snprintf(target, sizeof target, "%s.%d", name, i);
        error = (size_t)length < sizeof target
                    ? rename_noreplace(spool->dir_fd, name, bad_fd, target)
                    : -ENAMETOOLONG;
    }
    return error;
}

bool spool_quarantine(struct spool *spool, const char *name)
{
    pthread_mutex_lock(&spool->mutex);
    spool->stats.bad_files++;
    pthread_mutex_unlock(&spool->mutex);
    // Of other people's files there is enough evidence at some point; ours are few, and hold rows.
    bool stranger = spool_name_parse(name).kind == SPOOL_STRANGER;
    if (stranger && spool->bad_entries >= BAD_ENTRIES_MAX) {
        return false;
    }
    int bad_fd = open_bad_dir(spool);
    if (bad_fd < 0) {
        return false;
    }
    if (spool->bad_entries < 0) {
        spool->bad_entries = count_entries(bad_fd);
    }
    bool full = stranger && spool->bad_entries >= BAD_ENTRIES_MAX;
    bool moved = !full && move_to(spool, name, bad_fd) == 0;
    if (moved) {
        spool->bad_entries++;
    }
    close(bad_fd);
    return moved;
}
