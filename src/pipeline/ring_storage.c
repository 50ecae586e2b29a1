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

/* ---- plain memory ---- */

static int open_plain(struct ring_storage *storage, const struct ring_storage_config *config,
                      const char *why)
{
    size_t size = ring_storage_size(config->capacity, sizeof(struct record));
    if (size == 0) {
        return -EINVAL;
    }
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

// Ours alone: nobody else can put a link or another file under a name that we open.
static bool is_private(int fd, mode_t type, const char **why)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || (st.st_mode & S_IFMT) != type) {
        *why = "ring_dir: something of our name is in the way";
    } else if (st.st_uid != geteuid()) {
        *why = "ring_dir: something of our name belongs to another user";
    } else if ((st.st_mode & 077) != 0) {
        *why = "ring_dir: our folder or file is open to others";
    } else {
        return true;
    }
    return false;
}

static bool is_memory(int fd, const char **why)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0) {
        *why = "ring_dir: can't tell what file system it is on";
        return false;
    }
    // f_type is signed on some machines; the magic numbers have 32 bits.
    uint32_t type = (uint32_t)fs.f_type;
    if (type != TMPFS_MAGIC && type != RAMFS_MAGIC) {
        *why = "ring_dir is not on tmpfs";
        return false;
    }
    return true;
}

static int open_folder(const char *dir, const char **why)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/ntp_logger-%u", dir, (unsigned)geteuid());
    if (dir[0] == '\0' || (size_t)length >= sizeof path) {
        *why = dir[0] == '\0' ? "no ring_dir is set" : "ring_dir is too long";
        return -1;
    }
    (void)mkdir(path, 0700); // whatever is there now is looked at below
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        *why = errno == ENOTDIR || errno == ELOOP ? "ring_dir: something of our name is in the way"
                                                  : "ring_dir can't be used";
        return -1;
    }
    if (!is_private(fd, S_IFDIR, why) || !is_memory(fd, why)) {
        close(fd);
        return -1;
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

// The capacity that the ring in FD says it has, or 0. What it says is checked after mapping.
static uint32_t stored_capacity(int fd)
{
    struct ring_header header;
    return pread(fd, &header, sizeof header, 0) == (ssize_t)sizeof header ? header.capacity : 0;
}

// Maps what a former process left, if it is a ring of this boot's records.
static bool adopt(struct ring_storage *storage, const struct ring_storage_config *config)
{
    struct stat st;
    uint32_t capacity = stored_capacity(storage->fd);
    size_t size = ring_storage_size(capacity, sizeof(struct record));
    if (size == 0 || fstat(storage->fd, &st) != 0 || (uint64_t)st.st_size != size) {
        return false;
    }
    void *memory = map_shared(storage->fd, size);
    if (memory == NULL) {
        return false;
    }
    const struct ring_shared *shared = memory;
    bool usable = ring_check(memory, size, capacity, sizeof(struct record)) == 0 &&
                  shared->header.owner_id == config->boot_id;
    struct ring_consumer consumer;
    ring_consumer_init(&consumer, memory);
    // An empty ring of another capacity is made anew: the setting has changed.
    if (!usable || (capacity != config->capacity && ring_waiting(&consumer) == 0)) {
        munmap(memory, size);
        return false;
    }
    storage->memory = memory;
    storage->size = size;
    return true;
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

static bool create(struct ring_storage *storage, const struct ring_storage_config *config,
                   const char **why)
{
    *why = "ring_dir: the file can't be made";
    storage->fd = openat(storage->dir_fd, storage->name,
                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t size = ring_storage_size(config->capacity, sizeof(struct record));
    if (storage->fd < 0 || flock(storage->fd, LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    if (!fill(storage->fd, size)) {
        *why = "ring_dir has no space";
        (void)unlinkat(storage->dir_fd, storage->name, 0);
        return false;
    }
    storage->memory = map_shared(storage->fd, size);
    storage->size = size;
    return storage->memory != NULL && ring_format(storage->memory, size, config->capacity,
                                                  sizeof(struct record), config->boot_id) == 0;
}

static bool open_mapped(struct ring_storage *storage, const struct ring_storage_config *config,
                        const char **why)
{
    storage->dir_fd = open_folder(config->dir, why);
    if (storage->dir_fd < 0) {
        return false;
    }
    name_ring(storage->name, config->spool_dir);
    storage->fd =
        openat(storage->dir_fd, storage->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (storage->fd >= 0 && flock(storage->fd, LOCK_EX | LOCK_NB) != 0) {
        *why = "ring_dir: another process has the ring";
        return false;
    }
    if (storage->fd >= 0 && is_private(storage->fd, S_IFREG, why) && adopt(storage, config)) {
        return true;
    }
    if (storage->fd >= 0) {
        close(storage->fd);
        storage->fd = -1;
    }
    // The folder is ours alone, so whatever bears the name is too: of a former boot or version, or
    // damaged.
    if (unlinkat(storage->dir_fd, storage->name, 0) != 0 && errno != ENOENT) {
        *why = "ring_dir: something of our name is in the way";
        return false;
    }
    return create(storage, config, why);
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

int ring_storage_open(struct ring_storage *storage, const struct ring_storage_config *config)
{
    *storage = (struct ring_storage){.dir_fd = -1, .fd = -1};
    const char *why = "";
    if (ring_storage_size(config->capacity, sizeof(struct record)) == 0) {
        return -EINVAL;
    }
    if (open_mapped(storage, config, &why)) {
        storage->survives = true;
        snprintf(storage->description, sizeof storage->description,
                 "a file in memory (%.100s), rows survive a kill", config->dir);
        return 0;
    }
    unmap(storage);
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
        if (ring_waiting(&consumer) == 0) {
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
    *found = (struct ring_recovery){0};
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
