#include "upload/gzip.h"

#include <zlib.h>

#include <errno.h>
#include <stdlib.h>

#define BLOCK_BYTES  8192
#define LEVEL        6
#define GZIP_WINDOW  (15 + 16) /* 32 KiB, with a gzip header around: no name, no time */
#define MEMORY_LEVEL 8         /* zlib's default */

struct gzip {
    struct stream stream; /* first */
    struct stream *raw;
    z_stream z;
    uint64_t given; /* packed bytes handed out in this pass */
    bool ended;     /* the packed end was made */
    char block[BLOCK_BYTES];
};

// Feeds the next piece of the raw stream; at its end nothing is left to feed.
static bool refill(struct gzip *gzip)
{
    ssize_t got = stream_read(gzip->raw, gzip->block, sizeof gzip->block);
    if (got < 0) {
        return false;
    }
    gzip->z.next_in = (Bytef *)gzip->block;
    gzip->z.avail_in = (uInt)got;
    return true;
}

static bool pack(struct gzip *gzip)
{
    if (gzip->z.avail_in == 0 && !refill(gzip)) {
        return false;
    }
    int result = deflate(&gzip->z, gzip->z.avail_in == 0 ? Z_FINISH : Z_NO_FLUSH);
    gzip->ended = result == Z_STREAM_END;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

// Packs until at least one byte or the end is made. The number of bytes, or -1.
static ssize_t fill(struct gzip *gzip, char *out, uInt room)
{
    gzip->z.next_out = (Bytef *)out;
    gzip->z.avail_out = room;
    while (gzip->z.avail_out == room && !gzip->ended) {
        if (!pack(gzip)) {
            return -1;
        }
    }
    return (ssize_t)(room - gzip->z.avail_out);
}

// A measured stream gives exactly what was measured: whoever knows the size stops reading there.
static bool keeps_to_its_size(struct gzip *gzip)
{
    uint64_t size = gzip->stream.size;
    char beyond;
    if (size == UINT64_MAX || (gzip->given < size && !gzip->ended)) {
        return true;
    }
    return gzip->given == size && (gzip->ended || fill(gzip, &beyond, 1) == 0);
}

static ssize_t gzip_read(struct stream *stream, char *out, size_t room)
{
    struct gzip *gzip = (struct gzip *)stream;
    ssize_t made = fill(gzip, out, room < BLOCK_BYTES ? (uInt)room : BLOCK_BYTES);
    gzip->given += made > 0 ? (uint64_t)made : 0;
    if (made < 0 || !keeps_to_its_size(gzip)) {
        stream->failed = true;
        return -1;
    }
    return made;
}

static bool gzip_restart(struct stream *stream)
{
    struct gzip *gzip = (struct gzip *)stream;
    gzip->given = 0;
    gzip->ended = false;
    gzip->z.avail_in = 0;
    return stream_restart(gzip->raw) && deflateReset(&gzip->z) == Z_OK;
}

int gzip_open(struct gzip **gzip, struct stream *raw)
{
    struct gzip *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return -ENOMEM;
    }
    if (deflateInit2(&opened->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(opened);
        return -ENOMEM;
    }
    opened->stream =
        (struct stream){.read = gzip_read, .restart = gzip_restart, .size = UINT64_MAX};
    opened->raw = raw;
    *gzip = opened;
    return 0;
}

void gzip_close(struct gzip *gzip)
{
    if (gzip != NULL) {
        deflateEnd(&gzip->z);
        free(gzip);
    }
}

struct stream *gzip_stream(struct gzip *gzip)
{
    return &gzip->stream;
}

void gzip_measured(struct gzip *gzip, uint64_t size)
{
    gzip->stream.size = size;
}
