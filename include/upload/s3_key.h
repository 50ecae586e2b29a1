/*
 * Direct mode: where an object goes when we sign for ourselves, one key for each object.
 *
 *   <endpoint>/<bucket>/<prefix><name>
 *
 * The bucket is part of the path, which every S3 server understands. Pure; any thread.
 */
#ifndef UPLOAD_S3_KEY_H
#define UPLOAD_S3_KEY_H

#include <stddef.h>

/* All strings are the owner's. */
struct s3_place {
    const char *endpoint; /* scheme, host, perhaps a port; a slash at its end is fine */
    const char *bucket;
    const char *prefix; /* may be empty, may contain slashes */
};

/*
 * Writes the URL of object NAME to OUT, percent-encoded as S3 signs it. 0, or -EINVAL when the
 * endpoint has a path or query, -ENAMETOOLONG when it does not fit.
 */
int s3_key_url(char *out, size_t size, const struct s3_place *place, const char *name);

#endif
