#include "base/md5.h"

// The old calls on purpose: they need no allocation. Fetching a digest from OpenSSL 3's providers
// crashes when memory is short at its first use, instead of failing.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(sizeof(MD5_CTX) <= sizeof((struct md5_state){0}.words), "the library's state fits");

// Copied in and out, some hundred bytes: a header that knew the library's struct would spread it.
static MD5_CTX open_state(const struct md5_state *state)
{
    MD5_CTX context;
    memcpy(&context, state->words, sizeof context);
    return context;
}

static void close_state(struct md5_state *state, const MD5_CTX *context, int succeeded)
{
    memcpy(state->words, context, sizeof *context);
    state->forbidden |= succeeded != 1;
}

void md5_begin(struct md5_state *state)
{
    MD5_CTX context = {0};
    *state = (struct md5_state){.forbidden = false};
    close_state(state, &context, MD5_Init(&context));
}

void md5_add(struct md5_state *state, const void *data, size_t size)
{
    MD5_CTX context = open_state(state);
    close_state(state, &context, MD5_Update(&context, data, size));
}

int md5_end(const struct md5_state *state, uint8_t md5[MD5_BYTES])
{
    MD5_CTX context = open_state(state);
    return !state->forbidden && MD5_Final(md5, &context) == 1 ? 0 : -ENOTSUP;
}
