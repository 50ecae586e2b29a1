/*
 * MD5 (RFC 1321), piece by piece. A checksum against damage, not a protection: S3 wants this one.
 *
 * A state is a plain value: a copy of it is a snapshot to go on from. Nothing is allocated and
 * nothing fails before the end, which then tells. The only file that knows OpenSSL's MD5. A state
 * belongs to one thread at a time.
 */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES       16
#define MD5_STATE_WORDS 24

struct md5_state {
    uint32_t words[MD5_STATE_WORDS]; /* the library's own */
    bool forbidden;                  /* it refused */
};

void md5_begin(struct md5_state *state);
void md5_add(struct md5_state *state, const void *data, size_t size);

/* What was added so far; STATE can be added to afterwards. 0, or -ENOTSUP where MD5 is forbidden
 * (FIPS). */
int md5_end(const struct md5_state *state, uint8_t md5[MD5_BYTES]);

#endif
