#include "pipeline/ring_storage.h"

#include "core/record.h"
#include "core/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* There may be records behind a failure that passes: worth another try. */
#define OPEN_TRIES 3

/* ---- plain memory ---- */

static int open_plain(struct ring_storage *storage, const struct ring_storage_config *config,
                      const char *why)
{
    size_t size = ring_storage_size(config->capacity, sizeof(struct record));
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    storage->memory = memory;
    storage->size = size;
    snprintf(storage->description, sizeof storage->description,
             "plain memory, a killed process loses what is not committed (%s)", why);
    return ring_format(memory, size, config->capacity, sizeof(struct record), config->boot_id);
}

/* ---- the folder ---- */

// How an attempt ends; any other -errno is a hiccup that may pass.
#define NOT_USABLE (-ENOTSUP) // a place or thing that we do not use, whatever is in it
#define TAKEN      (-EBUSY)

// Ours alone: nobody else can put a link or another file under a name that we open.
static int check_private(int fd, mode_t type, const char **why)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    if ((st.st_mode & S_IFMT) != type) {
        *why = "ring_dir: something of our name is in the way";
    } else if (st.st_uid != geteuid()) {
        *why = "ring_dir: something of our name belongs to another user";
    } else if ((st.st_mode & 077) != 0) {
        *why = "ring_dir: our folder or file is open to others";
    } else {
        return 0;
    }
    return NOT_USABLE;
}

static int check_memory(int fd, const char **why)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0) {
        return -errno;
    }
    // f_type is signed on some machines; the magic numbers have 32 bits.
    uint32_t type = (uint32_t)fs.f_type;
    if (type != TMPFS_MAGIC && type != RAMFS_MAGIC) {
        *why = "ring_dir is not on tmpfs";
        return NOT_USABLE;
    }
    return 0;
}

// No folder there, or none that we may enter: so no ring of ours either.
static bool is_absent(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EACCES;
}

static int open_folder(const char *dir, const char **why)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/ntp_logger-%u", dir, (unsigned)geteuid());
    if (dir[0] == '\0' || (size_t)length >= sizeof path) {
        *why = dir[0] == '\0' ? "no ring_dir is set" : "ring_dir is too long";
        return NOT_USABLE;
    }
    (void)mkdir(path, 0700); // whatever is there now is looked at below
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        *why = errno == ENOTDIR || errno == ELOOP ? "ring_dir: something of our name is in the way"
                                                  : "ring_dir can't be used";
        return is_absent(errno) ? NOT_USABLE : -errno;
    }
    int error = check_private(fd, S_IFDIR, why);
    error = error == 0 ? check_memory(fd, why) : error;
    if (error != 0) {
        close(fd);
        return error;
    }
    return fd;
}

/* ---- the file ---- */

// FNV-1a: one spool, one ring; other instances on the machine have others.
static void name_ring(char out[32], const char *spool_dir)
{
    char resolved[PATH_MAX];
    const char *path = realpath(spool_dir, resolved);
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *p = path != NULL ? path : spool_dir; *p != '\0'; p++) {
        hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    }
    snprintf(out, 32, "ring-%016" PRIx64, hash);
}

static void *map_shared(int fd, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// Maps what a former process left. 0, -EBADMSG when it is no ring that can be used, or -errno.
static int adopt(struct ring_storage *storage)
{
    struct stat st;
    struct ring_header header;
    ssize_t n = pread(storage->fd, &header, sizeof header, 0);
    if (n < 0 || fstat(storage->fd, &st) != 0) {
        return -errno;
    }
    size_t size =
        (size_t)n == sizeof header ? ring_storage_size(header.capacity, sizeof(struct record)) : 0;
    if (size == 0 || (uint64_t)st.st_size != size) {
        return -EBADMSG;
    }
    void *memory = map_shared(storage->fd, size);
    if (memory == NULL) {
        return -errno;
    }
    storage->memory = memory;
    storage->size = size;
    return ring_check(memory, size, header.capacity, sizeof(struct record));
}

// Records of another boot are of no use, and an empty ring of another capacity is made anew: the
// setting has changed.
static bool is_wanted(const struct ring_storage *storage, const struct ring_storage_config *config)
{
    const struct ring_shared *shared = storage->memory;
    struct ring_consumer consumer;
    ring_consumer_init(&consumer, storage->memory);
    return shared->header.owner_id == config->boot_id &&
           (shared->header.capacity == config->capacity || ring_waiting(&consumer) > 0);
}

// A file of SIZE bytes that are really there: a full tmpfs is found now, not by SIGBUS later.
static bool fill(int fd, size_t size)
{
    static const char zeros[4096];
    for (size_t at = 0; at < size;) {
        size_t part = size - at < sizeof zeros ? size - at : sizeof zeros;
        ssize_t n = pwrite(fd, zeros, part, (off_t)at);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static int format_new(struct ring_storage *storage, const struct ring_storage_config *config,
                      const char *new_name, const char **why)
{
    storage->fd =
        openat(storage->dir_fd, new_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (storage->fd < 0 || flock(storage->fd, LOCK_EX | LOCK_NB) != 0) {
        return -errno;
    }
    size_t size = ring_storage_size(config->capacity, sizeof(struct record));
    if (!fill(storage->fd, size)) {
        *why = "ring_dir has no space";
        return NOT_USABLE;
    }
    storage->memory = map_shared(storage->fd, size);
    storage->size = size;
    return storage->memory == NULL ? -errno
                                   : ring_format(storage->memory, size, config->capacity,
                                                 sizeof(struct record), config->boot_id);
}

// Made under another name first: a ring that is found is a whole one, or one that had records.
static int create(struct ring_storage *storage, const struct ring_storage_config *config,
                  const char **why)
{
    char new_name[sizeof storage->name + 4];
    snprintf(new_name, sizeof new_name, "%s.new", storage->name);
    *why = "ring_dir: the file can't be made";
    (void)unlinkat(storage->dir_fd, new_name, 0); // of a process killed while it made one
    int error = format_new(storage, config, new_name, why);
    if (error == 0 && renameat(storage->dir_fd, new_name, storage->dir_fd, storage->name) != 0) {
        error = -errno;
    }
    if (error != 0) {
        (void)unlinkat(storage->dir_fd, new_name, 0);
    }
    return error;
}

static void unmap(struct ring_storage *storage)
{
    if (storage->memory != NULL) {
        munmap(storage->memory, storage->size);
        storage->memory = NULL;
    }
    if (storage->fd >= 0) {
        close(storage->fd);
        storage->fd = -1;
    }
    if (storage->dir_fd >= 0) {
        close(storage->dir_fd);
        storage->dir_fd = -1;
    }
}

// What a former process left. 0 = in use again, -ENOENT = nothing, -EBADMSG = nothing of use,
// TAKEN, NOT_USABLE, or another -errno when it could not be looked at.
static int open_existing(struct ring_storage *storage, const struct ring_storage_config *config,
                         const char **why)
{
    storage->fd =
        openat(storage->dir_fd, storage->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    storage->left_behind = false;
    if (storage->fd < 0) {
        // A link, a folder or a device of that name holds no records.
        return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EBADMSG : -errno;
    }
    if (flock(storage->fd, LOCK_EX | LOCK_NB) != 0) {
        *why = "ring_dir: another process has the ring";
        return errno == EWOULDBLOCK ? TAKEN : -errno;
    }
    int error = check_private(storage->fd, S_IFREG, why);
    if (error != 0) {
        return error == NOT_USABLE ? -EBADMSG : error;
    }
    error = adopt(storage);
    storage->left_behind = error == -EBADMSG; // damaged: who knows which seqs were in it
    return error == 0 && !is_wanted(storage, config) ? -EBADMSG : error;
}

static int open_mapped(struct ring_storage *storage, const struct ring_storage_config *config,
                       const char **why)
{
    storage->dir_fd = open_folder(config->dir, why);
    if (storage->dir_fd < 0) {
        return storage->dir_fd;
    }
    int error = open_existing(storage, config, why);
    if (error != -ENOENT && error != -EBADMSG) {
        return error;
    }
    int dir_fd = storage->dir_fd;
    storage->dir_fd = -1;
    unmap(storage);
    storage->dir_fd = dir_fd;
    // The folder is ours alone, so whatever bears the name is too: of a former boot or version, or
    // damaged.
    if (unlinkat(dir_fd, storage->name, 0) != 0 && errno != ENOENT) {
        *why = "ring_dir: something of our name is in the way";
        return NOT_USABLE;
    }
    return create(storage, config, why);
}

// Whether there is a file at all, asked in another way than by opening it.
static bool may_exist(const struct ring_storage *storage, const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/ntp_logger-%u/%s", dir, (unsigned)geteuid(), storage->name);
    return lstat(path, &st) == 0 || errno != ENOENT;
}

int ring_storage_open(struct ring_storage *storage, const struct ring_storage_config *config)
{
    if (ring_storage_size(config->capacity, sizeof(struct record)) == 0) {
        return -EINVAL;
    }
    *storage = (struct ring_storage){.dir_fd = -1, .fd = -1};
    name_ring(storage->name, config->spool_dir);
    const char *why = "ring_dir can't be used";
    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        int error = open_mapped(storage, config, &why);
        if (error == 0) {
            storage->survives = true;
            snprintf(storage->description, sizeof storage->description,
                     "a file in memory (%.100s), rows survive a kill", config->dir);
            return 0;
        }
        unmap(storage);
        storage->left_behind = error != NOT_USABLE && may_exist(storage, config->dir);
        if (error == NOT_USABLE || error == TAKEN) {
            break;
        }
    }
    return open_plain(storage, config, why);
}

void ring_storage_close(struct ring_storage *storage)
{
    if (storage->memory == NULL) {
        return; // not open: zeroed by the caller at most
    }
    if (storage->survives) {
        struct ring_consumer consumer;
        ring_consumer_init(&consumer, storage->memory);
        if (ring_waiting(&consumer) == 0 && ring_refused(storage->memory) == 0) {
            (void)unlinkat(storage->dir_fd, storage->name, 0); // a few KiB of memory at worst
        }
    }
    unmap(storage);
}

/* ---- what a former process left ---- */

// Values that csv_format_row has words for, and a seq that goes on.
static bool is_credible(const struct record *record, uint32_t boot_id, uint64_t above_seq)
{
    return record->boot_id == boot_id && record->seq > above_seq &&
           record->status <= STATUS_NOT_SYNCHRONISED && record->sync_state <= SYNC_UNREACHABLE &&
           record->old_state <= SYNC_UNREACHABLE && record->source <= SOURCE_SNTP;
}

void ring_storage_recover(struct ring_storage *storage, uint32_t boot_id, uint64_t durable_below,
                          struct ring_recovery *found)
{
    *found = (struct ring_recovery){.refused = ring_refused(storage->memory)};
    struct ring_shared *shared = storage->memory;
    struct ring_consumer consumer;
    ring_consumer_init(&consumer, shared);
    uint32_t count = ring_waiting(&consumer);
    uint64_t last_seq = 0;
    uint32_t good = 0;
    for (; good < count; good++) {
        const struct record *record = ring_at(&consumer, good);
        if (!is_credible(record, boot_id, last_seq)) {
            break;
        }
        last_seq = record->seq;
        found->durable += record->seq < durable_below;
    }
    // The seqs rise, so those that are durable come first. Relaxed: no other thread runs yet, and
    // the threads that will are started after this.
    uint32_t begin = consumer.next + found->durable;
    atomic_store_explicit(&shared->produced, consumer.next + good, memory_order_relaxed);
    atomic_store_explicit(&shared->consumed, begin, memory_order_relaxed);
    found->waiting = good - found->durable;
    found->unusable = count - good;
    found->next_seq = found->waiting > 0 ? last_seq + 1 : 0;
}
