/*
 * The MD5 that S3 checks an upload against. A checksum here, not a protection: TLS does that.
 * Any thread.
 */
#ifndef UPLOAD_DIGEST_H
#define UPLOAD_DIGEST_H

#include "base/md5.h"
#include "upload/stream.h"

#include <stdint.h>

#define DIGEST_BYTES MD5_BYTES

struct digest {
    uint8_t bytes[DIGEST_BYTES];
    char base64[25]; /* as Content-MD5 wants it */
    char hex[33];    /* as an ETag shows it, lower case */
    uint64_t size;   /* how many bytes it is of */
};

/* An MD5 that is known already, of SIZE bytes. */
void digest_take(struct digest *digest, const uint8_t bytes[DIGEST_BYTES], uint64_t size);

/*
 * Of all of STREAM, which is left at its beginning again. 0 or -errno: -ENOTSUP where MD5 is
 * forbidden, -EIO when the stream failed.
 */
int digest_stream(struct digest *digest, struct stream *stream);

#endif
