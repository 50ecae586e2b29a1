/*
 * LD_PRELOAD: writes down what a process does to the files below RECORD_ROOT, in order, to
 * RECORD_LOG; power_cut.py plays it back. One line each:
 *
 *   C <inode> <name>            created
 *   W <inode> <offset> <hex>    written
 *   T <inode> <size>            cut or grown to a size
 *   D <inode>                   fdatasync or fsync of a file returned
 *   F                           fsync of the folder returned
 *   R <from> <to>               renamed
 *   U <name>                    deleted
 *
 * Only calls that succeeded are in it, each after it has happened. Names are relative to the root.
 * RECORD_IGNORE=fsync,fdatasync makes these calls do nothing and leaves them out: a disk, or a
 * writer, that does not sync.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// The dynamic linker makes the calls to the functions below; the headers declare them under other
// names.
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wpedantic" // a symbol's address as a function

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int log_fd = -1;
static char root[PATH_MAX];
static const char *ignored = "";

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("RECORD_LOG");
    const char *dir = getenv("RECORD_ROOT");
    if (log == NULL || dir == NULL) {
        return;
    }
    ignored = getenv("RECORD_IGNORE") != NULL ? getenv("RECORD_IGNORE") : "";
    snprintf(root, sizeof root, "%s", dir);
    log_fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    int saved = errno;
    ssize_t ignore = REAL(write)(log_fd, line, (size_t)length);
    (void)ignore;
    errno = saved;
}

// The path of NAME in DIR_FD, relative to the root ("" = the root itself); NULL = elsewhere.
static const char *inside(int dir_fd, const char *name, char out[PATH_MAX + NAME_MAX])
{
    char link[64];
    char dir[PATH_MAX];
    if (log_fd < 0 || name[0] == '/') {
        return NULL;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
    ssize_t length = readlink(link, dir, sizeof dir - 1);
    size_t root_length = strlen(root);
    if (length < 0 || (size_t)length < root_length || memcmp(dir, root, root_length) != 0) {
        return NULL;
    }
    dir[length] = '\0';
    const char *below = dir + root_length + (dir[root_length] == '/');
    snprintf(out, PATH_MAX + NAME_MAX, "%s%s%s", below, *below != '\0' && *name != '\0' ? "/" : "",
             name);
    return out;
}

static bool is_inside(int fd)
{
    char path[PATH_MAX + NAME_MAX];
    int saved = errno;
    bool yes = inside(fd, "", path) != NULL;
    errno = saved;
    return yes;
}

static unsigned long inode_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (unsigned long)st.st_ino : 0;
}

static void note_write(int fd, off_t offset, const struct iovec *iov, int count, size_t size)
{
    char head[64];
    int length = snprintf(head, sizeof head, "W %lu %lld ", inode_of(fd), (long long)offset);
    char *line = malloc((size_t)length + 2 * size + 1);
    memcpy(line, head, (size_t)length);
    char *p = line + length;
    for (int i = 0; i < count && size > 0; i++) {
        const unsigned char *bytes = iov[i].iov_base;
        size_t part = iov[i].iov_len < size ? iov[i].iov_len : size;
        for (size_t k = 0; k < part; k++) {
            *p++ = "0123456789abcdef"[bytes[k] >> 4];
            *p++ = "0123456789abcdef"[bytes[k] & 15];
        }
        size -= part;
    }
    *p++ = '\n';
    ssize_t ignore = REAL(write)(log_fd, line, (size_t)(p - line));
    (void)ignore;
    free(line);
}

/* ---- the calls ---- */

static int opened(int fd, int dir_fd, const char *path, bool existed, int flags)
{
    char name[PATH_MAX + NAME_MAX];
    if (fd >= 0 && inside(dir_fd, path, name) != NULL) {
        if (!existed && (flags & O_CREAT) != 0) {
            note("C %lu %s\n", inode_of(fd), name);
        } else if ((flags & O_TRUNC) != 0) {
            note("T %lu 0\n", inode_of(fd));
        }
    }
    return fd;
}

int openat64(int dir_fd, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    struct stat st;
    bool existed = fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
    return opened(REAL(openat64)(dir_fd, path, flags, mode), dir_fd, path, existed, flags);
}

int __openat64_2(int dir_fd, const char *path, int flags)
{
    return opened(REAL(openat64)(dir_fd, path, flags), dir_fd, path, true, flags);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    bool record = is_inside(fd);
    off_t end = record ? lseek(fd, 0, SEEK_END) : 0; // all appends
    ssize_t n = REAL(writev)(fd, iov, count);
    if (record && n > 0) {
        note_write(fd, end, iov, count, (size_t)n);
    }
    return n;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    ssize_t n = REAL(pwrite64)(fd, data, size, offset);
    if (n > 0 && is_inside(fd)) {
        union {
            const void *in;
            void *out;
        } bytes = {.in = data};
        note_write(fd, offset, &(struct iovec){bytes.out, size}, 1, (size_t)n);
    }
    return n;
}

int ftruncate64(int fd, off64_t size)
{
    int rc = REAL(ftruncate64)(fd, size);
    if (rc == 0 && is_inside(fd)) {
        note("T %lu %lld\n", inode_of(fd), (long long)size);
    }
    return rc;
}

int fdatasync(int fd)
{
    if (!is_inside(fd)) {
        return REAL(fdatasync)(fd);
    }
    if (strstr(ignored, "fdatasync") != NULL) {
        return 0;
    }
    int rc = REAL(fdatasync)(fd);
    if (rc == 0) {
        note("D %lu\n", inode_of(fd));
    }
    return rc;
}

int fsync(int fd)
{
    struct stat st;
    if (!is_inside(fd)) {
        return REAL(fsync)(fd);
    }
    if (strstr(ignored, "fsync") != NULL) {
        return 0;
    }
    int rc = REAL(fsync)(fd);
    if (rc == 0 && fstat(fd, &st) == 0) {
        note(S_ISDIR(st.st_mode) ? "F\n" : "D %lu\n", (unsigned long)st.st_ino);
    }
    return rc;
}

static int renamed(int rc, int from_fd, const char *from, int to_fd, const char *to)
{
    char a[PATH_MAX + NAME_MAX];
    char b[PATH_MAX + NAME_MAX];
    if (rc == 0 && inside(from_fd, from, a) != NULL && inside(to_fd, to, b) != NULL) {
        note("R %s %s\n", a, b);
    }
    return rc;
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    return renamed(REAL(renameat2)(from_fd, from, to_fd, to, flags), from_fd, from, to_fd, to);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return renamed(REAL(renameat)(from_fd, from, to_fd, to), from_fd, from, to_fd, to);
}

int unlinkat(int dir_fd, const char *path, int flags)
{
    char name[PATH_MAX + NAME_MAX];
    int rc = REAL(unlinkat)(dir_fd, path, flags);
    if (rc == 0 && inside(dir_fd, path, name) != NULL) {
        note("U %s\n", name);
    }
    return rc;
}
