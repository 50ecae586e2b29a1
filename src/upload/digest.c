#include "upload/digest.h"

// The old calls on purpose: they need no allocation. Fetching a digest from OpenSSL 3's providers
// crashes when memory is short at its first use, instead of failing.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/md5.h>

#include <errno.h>

#define BLOCK_BYTES 8192

static void fill_texts(struct digest *digest)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        digest->hex[2 * i] = digits[digest->bytes[i] >> 4];
        digest->hex[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    digest->hex[2 * (size_t)DIGEST_BYTES] = '\0';
    EVP_EncodeBlock((unsigned char *)digest->base64, digest->bytes, DIGEST_BYTES);
}

static int digest_begin(MD5_CTX *context)
{
    return MD5_Init(context) == 1 ? 0 : -ENOTSUP; // a FIPS build
}

static int digest_end(MD5_CTX *context, struct digest *digest)
{
    if (MD5_Final(digest->bytes, context) != 1) {
        return -ENOTSUP;
    }
    fill_texts(digest);
    return 0;
}

static int update(MD5_CTX *context, struct digest *digest, struct stream *stream)
{
    char block[BLOCK_BYTES];
    ssize_t got;
    digest->size = 0;
    while ((got = stream_read(stream, block, sizeof block)) > 0) {
        if (MD5_Update(context, block, (size_t)got) != 1) {
            return -ENOTSUP;
        }
        digest->size += (uint64_t)got;
    }
    return got == 0 && stream_restart(stream) ? 0 : -EIO;
}

int digest_stream(struct digest *digest, struct stream *stream)
{
    MD5_CTX context;
    int result = digest_begin(&context);
    if (result == 0) {
        result = update(&context, digest, stream);
    }
    return result == 0 ? digest_end(&context, digest) : result;
}
