/*
 * The MD5 that S3 checks an upload against. A checksum here, not a protection: TLS does that.
 *
 * The only file that knows the crypto library's digests. Any thread.
 */
#ifndef UPLOAD_DIGEST_H
#define UPLOAD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 16

struct digest {
    uint8_t bytes[DIGEST_BYTES];
    char base64[25]; /* as Content-MD5 wants it */
    char hex[33];    /* as an ETag shows it, lower case */
};

/* Of SIZE bytes of memory. 0 or -errno (-ENOMEM, -ENOTSUP where MD5 is forbidden). */
int digest_memory(struct digest *digest, const void *data, size_t size);

/*
 * Of the first SIZE bytes of an open file, whatever its position, which stays as it is. 0 or
 * -errno; -ENODATA when the file is shorter.
 */
int digest_file(struct digest *digest, int fd, uint64_t size);

#endif
