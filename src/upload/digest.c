#include "upload/digest.h"

#include <openssl/evp.h>

#include <errno.h>
#include <string.h>

#define BLOCK_BYTES 8192

void digest_take(struct digest *digest, const uint8_t bytes[DIGEST_BYTES], uint64_t size)
{
    static const char digits[] = "0123456789abcdef";
    memcpy(digest->bytes, bytes, DIGEST_BYTES);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        digest->hex[2 * i] = digits[bytes[i] >> 4];
        digest->hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    digest->hex[2 * (size_t)DIGEST_BYTES] = '\0';
    EVP_EncodeBlock((unsigned char *)digest->base64, bytes, DIGEST_BYTES);
    digest->size = size;
}

int digest_stream(struct digest *digest, struct stream *stream)
{
    char block[BLOCK_BYTES];
    uint8_t bytes[DIGEST_BYTES];
    struct md5_state md5;
    uint64_t size = 0;
    ssize_t got;
    md5_begin(&md5);
    while ((got = stream_read(stream, block, sizeof block)) > 0) {
        md5_add(&md5, block, (size_t)got);
        size += (uint64_t)got;
    }
    if (got < 0 || !stream_restart(stream)) {
        return -EIO;
    }
    int error = md5_end(&md5, bytes);
    if (error == 0) {
        digest_take(digest, bytes, size);
    }
    return error;
}
