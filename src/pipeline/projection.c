#include "pipeline/projection.h"

#include "core/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES 8192

struct projection {
    int in_fd;
    int out_fd;
    off_t in_offset;
    uint64_t written;
    size_t in_used; // bytes of the row that is not whole yet
    size_t out_used;
    char in[BLOCK_BYTES];
    char out[BLOCK_BYTES];
};

static int flush(struct projection *p)
{
    for (size_t done = 0; done < p->out_used;) {
        ssize_t wrote = write(p->out_fd, p->out + done, p->out_used - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return wrote < 0 ? -errno : -EIO;
        }
        done += (size_t)wrote;
    }
    p->written += p->out_used;
    p->out_used = 0;
    return 0;
}

static int project_row(struct projection *p, const char *row, size_t length)
{
    if (p->out_used + CSV_ROW_MAX > sizeof p->out) {
        int error = flush(p);
        if (error != 0) {
            return error;
        }
    }
    // The header is no row of ours either, and is left out by the same test.
    int size = csv_project_legacy(p->out + p->out_used, row, length);
    if (size > 0) {
        p->out_used += (size_t)size;
    }
    return 0;
}

// Projects the whole rows in the block and keeps the rest for the next one.
static int project_block(struct projection *p)
{
    const char *row = p->in;
    const char *end = p->in + p->in_used;
    const char *newline;
    while ((newline = memchr(row, '\n', (size_t)(end - row))) != NULL) {
        int error = project_row(p, row, (size_t)(newline - row));
        if (error != 0) {
            return error;
        }
        row = newline + 1;
    }
    p->in_used = (size_t)(end - row);
    if (p->in_used == sizeof p->in) {
        p->in_used = 0; // a line longer than any row: not ours
    }
    memmove(p->in, row, p->in_used);
    return 0;
}

static int project_all(struct projection *p)
{
    for (;;) {
        ssize_t got = pread(p->in_fd, p->in + p->in_used, sizeof p->in - p->in_used, p->in_offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -errno : flush(p);
        }
        p->in_offset += got;
        p->in_used += (size_t)got;
        int error = project_block(p);
        if (error != 0) {
            return error;
        }
    }
}

// A file that nobody can find: it is gone when it is closed, or when we die.
static int open_nameless(const char *dir)
{
    char path[PATH_MAX];
    int written = snprintf(path, sizeof path, "%s/legacy.XXXXXX", dir);
    if (written < 0 || (size_t)written >= sizeof path) {
        return -ENAMETOOLONG;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    unlink(path);
    return fd;
}

int projection_legacy(int in_fd, const char *dir, int *out_fd, uint64_t *out_size)
{
    struct projection p = {.in_fd = in_fd};
    p.out_fd = open_nameless(dir);
    if (p.out_fd < 0) {
        return p.out_fd;
    }
    int error = project_all(&p);
    if (error != 0) {
        close(p.out_fd);
        return error;
    }
    *out_fd = p.out_fd;
    *out_size = p.written;
    return 0;
}
