/*
 * The bytes of an upload: an open file from its beginning, or memory, read piece by piece.
 * One thread.
 */
#ifndef UPLOAD_BODY_H
#define UPLOAD_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct body {
    int fd; /* a regular file, whose position is left alone, or -1: DATA */
    const char *data;
    uint64_t size;
    uint64_t offset; /* of the next byte */
    bool failed;     /* the file could not be read, or ended before its size */
};

/* The next bytes, at most ROOM. 0 at the end; -1 when the file fails, which `failed` then tells. */
ssize_t body_read(struct body *body, char *out, size_t room);

/* Goes on at OFFSET. False beyond the end. */
bool body_seek(struct body *body, uint64_t offset);

#endif
