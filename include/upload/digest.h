/*
 * The MD5 that S3 checks an upload against. A checksum here, not a protection: TLS does that.
 *
 * The only file that knows the crypto library's digests. Any thread.
 */
#ifndef UPLOAD_DIGEST_H
#define UPLOAD_DIGEST_H

#include "upload/stream.h"

#include <stdint.h>

#define DIGEST_BYTES 16

struct digest {
    uint8_t bytes[DIGEST_BYTES];
    char base64[25]; /* as Content-MD5 wants it */
    char hex[33];    /* as an ETag shows it, lower case */
    uint64_t size;   /* how many bytes it is of */
};

/*
 * Of all of STREAM, which is left at its beginning again. 0 or -errno: -ENOTSUP where MD5
 * is forbidden, -EIO when the stream failed.
 */
int digest_stream(struct digest *digest, struct stream *stream);

#endif
