/*
 * Bytes on their way out, whatever they come from: read piece by piece, and once more from the
 * beginning when a transfer has to start over. Implementations put this struct first (body.h,
 * gzip.h). One thread.
 */
#ifndef UPLOAD_STREAM_H
#define UPLOAD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream {
    /* The next bytes, at most ROOM (> 0). 0 at the end; -1 on failure, which `failed` then tells.
     */
    ssize_t (*read)(struct stream *stream, char *out, size_t room);
    /* Begins again. False when that can not be done. */
    bool (*restart)(struct stream *stream);
    uint64_t size; /* of all of it */
    bool failed;   /* unreadable, or not as long as `size`: our own fault, not the network's */
};

static inline ssize_t stream_read(struct stream *stream, char *out, size_t room)
{
    return stream->read(stream, out, room);
}

static inline bool stream_restart(struct stream *stream)
{
    return stream->restart(stream);
}

#endif
