/*
 * An open file from its beginning, or memory, as a stream. Owns nothing.
 */
#ifndef UPLOAD_BODY_H
#define UPLOAD_BODY_H

#include "upload/stream.h"

#include <stdint.h>

struct body {
    struct stream stream; /* first */
    int fd;               /* a regular file, whose position is left alone, or -1: data */
    const char *data;
    uint64_t offset; /* of the next byte */
};

/* The first SIZE bytes of FD, or of DATA when FD is -1. A shorter file fails when it ends. */
void body_init(struct body *body, int fd, const char *data, uint64_t size);

#endif
