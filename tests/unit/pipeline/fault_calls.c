#include "fault_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>

// The linker makes the calls to the functions below; no header declares them.
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

const char *const fault_call_names[CALL_COUNT] = {
    "open",      "openat", "writev",         "pread",    "pwrite",   "ftruncate",
    "fdatasync", "fsync",  "renameat2",      "renameat", "unlinkat", "mkdir",
    "mkdirat",   "flock",  "getdents64",     "fstat",    "fstatat",  "fstatvfs",
    "dup3",      "mmap",   "mmap anonymous", "fstatfs",  "lstat",
};

static struct {
    unsigned count;
    unsigned fail_at; /* 0: never */
    int error;
    bool forever;
} faults[CALL_COUNT];

static unsigned fired;
static long disk_left = LONG_MAX;
static bool disk_heals;
static unsigned long long free_bytes = ULLONG_MAX;
static unsigned file_system; /* 0: the real one */
struct act {
    void (*act)(void *ctx);
    void *ctx;
};
static struct act acts[CALL_COUNT];

void fault_reset(void)
{
    memset(faults, 0, sizeof faults);
    fired = 0;
    disk_left = LONG_MAX;
    disk_heals = false;
    free_bytes = ULLONG_MAX;
    file_system = 0;
}

void fault_arm(enum fault_call call, unsigned nth, int error, bool forever)
{
    faults[call].fail_at = faults[call].count + nth;
    faults[call].error = error;
    faults[call].forever = forever;
}

void fault_before(enum fault_call call, void (*act)(void *ctx), void *ctx)
{
    acts[call] = (struct act){act, ctx};
}

static void act_before(enum fault_call call)
{
    struct act act = acts[call];
    acts[call] = (struct act){NULL, NULL};
    if (act.act != NULL) {
        act.act(act.ctx);
    }
}

void fault_fill_disk_after(unsigned bytes)
{
    disk_left = (long)bytes;
    disk_heals = false;
}

void fault_fill_disk_once_after(unsigned bytes)
{
    disk_left = (long)bytes;
    disk_heals = true;
}

void fault_free_bytes(unsigned long long bytes)
{
    free_bytes = bytes;
}

void fault_file_system(unsigned type)
{
    file_system = type;
}

unsigned fault_count(enum fault_call call)
{
    return faults[call].count;
}

unsigned fault_fired(void)
{
    return fired;
}

// True when this call must fail; errno is set.
static bool fails(enum fault_call call)
{
    unsigned n = ++faults[call].count;
    unsigned at = faults[call].fail_at;
    bool now = at != 0 && (n == at || (n > at && faults[call].forever));
    if (now) {
        fired++;
        errno = faults[call].error;
    }
    return now;
}

#define FAILS_OR(call, real) (fails(call) ? -1 : (real))

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return FAILS_OR(CALL_OPEN, __real_open64(path, flags, mode));
}

int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    act_before(CALL_OPENAT);
    return FAILS_OR(CALL_OPENAT, __real_openat64(dir, path, flags, mode));
}

int __real___openat64_2(int dir, const char *path, int flags);
int __wrap___openat64_2(int dir, const char *path, int flags)
{
    act_before(CALL_OPENAT);
    return FAILS_OR(CALL_OPENAT, __real___openat64_2(dir, path, flags));
}

ssize_t __real_writev(int fd, const struct iovec *iov, int count);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int count)
{
    if (fails(CALL_WRITEV)) {
        return -1;
    }
    if (disk_left == LONG_MAX) {
        return __real_writev(fd, iov, count);
    }
    if (disk_left == 0) {
        fired++;
        disk_left = disk_heals ? LONG_MAX : 0;
        errno = ENOSPC;
        return -1;
    }
    // A real short write: the first block, as far as the disk goes.
    struct iovec part = iov[0];
    part.iov_len = (long)part.iov_len > disk_left ? (size_t)disk_left : part.iov_len;
    ssize_t n = __real_writev(fd, &part, 1);
    disk_left -= n > 0 ? n : 0;
    return n;
}

ssize_t __real_pread64(int fd, void *out, size_t size, off_t at);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t at)
{
    return FAILS_OR(CALL_PREAD, __real_pread64(fd, out, size, at));
}

ssize_t __real___pread64_chk(int fd, void *out, size_t size, off_t at, size_t room);
ssize_t __wrap___pread64_chk(int fd, void *out, size_t size, off_t at, size_t room)
{
    return FAILS_OR(CALL_PREAD, __real___pread64_chk(fd, out, size, at, room));
}

ssize_t __real_pwrite64(int fd, const void *data, size_t size, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t at)
{
    return FAILS_OR(CALL_PWRITE, __real_pwrite64(fd, data, size, at));
}

int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size)
{
    return FAILS_OR(CALL_FTRUNCATE, __real_ftruncate64(fd, size));
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    return FAILS_OR(CALL_FDATASYNC, __real_fdatasync(fd));
}

int __real_fsync(int fd);
int __wrap_fsync(int fd)
{
    act_before(CALL_FSYNC);
    return FAILS_OR(CALL_FSYNC, __real_fsync(fd));
}

int __real_renameat2(int from, const char *a, int to, const char *b, unsigned flags);
int __wrap_renameat2(int from, const char *a, int to, const char *b, unsigned flags)
{
    return FAILS_OR(CALL_RENAMEAT2, __real_renameat2(from, a, to, b, flags));
}

int __real_renameat(int from, const char *a, int to, const char *b);
int __wrap_renameat(int from, const char *a, int to, const char *b)
{
    return FAILS_OR(CALL_RENAMEAT, __real_renameat(from, a, to, b));
}

int __real_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags)
{
    return FAILS_OR(CALL_UNLINKAT, __real_unlinkat(dir, path, flags));
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    return FAILS_OR(CALL_MKDIR, __real_mkdir(path, mode));
}

int __real_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
    return FAILS_OR(CALL_MKDIRAT, __real_mkdirat(dir, path, mode));
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
    return FAILS_OR(CALL_FLOCK, __real_flock(fd, operation));
}

ssize_t __real_getdents64(int fd, void *out, size_t size);
ssize_t __wrap_getdents64(int fd, void *out, size_t size)
{
    return FAILS_OR(CALL_GETDENTS, __real_getdents64(fd, out, size));
}

int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st)
{
    return FAILS_OR(CALL_FSTAT, __real_fstat64(fd, st));
}

int __real_fstatat64(int dir, const char *path, struct stat *st, int flags);
int __wrap_fstatat64(int dir, const char *path, struct stat *st, int flags)
{
    return FAILS_OR(CALL_FSTATAT, __real_fstatat64(dir, path, st, flags));
}

int __real_fstatvfs64(int fd, struct statvfs *fs);
int __wrap_fstatvfs64(int fd, struct statvfs *fs)
{
    int rc = FAILS_OR(CALL_FSTATVFS, __real_fstatvfs64(fd, fs));
    if (rc == 0 && free_bytes != ULLONG_MAX) {
        fs->f_bavail = (fsblkcnt_t)(free_bytes / fs->f_frsize);
    }
    return rc;
}

int __real_dup3(int fd, int to, int flags);
int __wrap_dup3(int fd, int to, int flags)
{
    return FAILS_OR(CALL_DUP3, __real_dup3(fd, to, flags));
}

void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    enum fault_call call = (flags & MAP_ANONYMOUS) != 0 ? CALL_MMAP_PLAIN : CALL_MMAP;
    return fails(call) ? MAP_FAILED : __real_mmap64(at, size, protection, flags, fd, offset);
}

int __real_fstatfs64(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs)
{
    int rc = FAILS_OR(CALL_FSTATFS, __real_fstatfs64(fd, fs));
    if (rc == 0 && file_system != 0) {
        fs->f_type = (__fsword_t)file_system;
    }
    return rc;
}

int __real_lstat64(const char *path, struct stat *st);
int __wrap_lstat64(const char *path, struct stat *st)
{
    return FAILS_OR(CALL_LSTAT, __real_lstat64(path, st));
}
