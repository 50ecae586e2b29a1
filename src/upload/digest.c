#include "upload/digest.h"

#include <openssl/evp.h>

#include <errno.h>
#include <unistd.h>

#define BLOCK_BYTES 8192

static int digest_begin(EVP_MD_CTX **context)
{
    *context = EVP_MD_CTX_new();
    if (*context == NULL) {
        return -ENOMEM;
    }
    if (EVP_DigestInit_ex(*context, EVP_md5(), NULL) != 1) {
        EVP_MD_CTX_free(*context);
        return -ENOTSUP; // a FIPS build
    }
    return 0;
}

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

static int digest_end(EVP_MD_CTX *context, struct digest *digest)
{
    int ok = EVP_DigestFinal_ex(context, digest->bytes, NULL);
    if (ok != 1) {
        return -ENOTSUP;
    }
    fill_texts(digest);
    return 0;
}

static int update_from_file(EVP_MD_CTX *context, int fd, uint64_t size)
{
    char block[BLOCK_BYTES];
    uint64_t offset = 0;
    while (offset < size) {
        uint64_t rest = size - offset;
        size_t want = rest < sizeof block ? (size_t)rest : sizeof block;
        ssize_t got = pread(fd, block, want, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            return -ENODATA;
        }
        if (EVP_DigestUpdate(context, block, (size_t)got) != 1) {
            return -ENOTSUP;
        }
        offset += (uint64_t)got;
    }
    return 0;
}

int digest_file(struct digest *digest, int fd, uint64_t size)
{
    EVP_MD_CTX *context;
    int result = digest_begin(&context);
    if (result != 0) {
        return result;
    }
    result = update_from_file(context, fd, size);
    if (result == 0) {
        result = digest_end(context, digest);
    }
    EVP_MD_CTX_free(context);
    return result;
}

int digest_memory(struct digest *digest, const void *data, size_t size)
{
    EVP_MD_CTX *context;
    int result = digest_begin(&context);
    if (result != 0) {
        return result;
    }
    result = EVP_DigestUpdate(context, data, size) == 1 ? digest_end(context, digest) : -ENOTSUP;
    EVP_MD_CTX_free(context);
    return result;
}
