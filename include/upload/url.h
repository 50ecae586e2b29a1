/*
 * What a presigned URL says about itself, without asking anybody.
 *
 * Everything from '?' on is a secret: whoever holds it may write to the bucket. The only form of a
 * URL that leaves this layer is `where`. Pure functions over a string; any thread.
 */
#ifndef UPLOAD_URL_H
#define UPLOAD_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest URL accepted, its NUL included: temporary credentials carry tokens of some 2 KiB. */
#define URL_MAX 8192
/* Room for the printable part. */
#define URL_WHERE_MAX 160

enum url_signature { URL_UNSIGNED, URL_SIGV2, URL_SIGV4 };

struct url_facts {
    bool https;
    bool expires; /* expiry_s and, with URL_SIGV4, signed_s are known */
    enum url_signature signature;
    int64_t signed_s; /* X-Amz-Date: s since the epoch, by the clock of whoever signed it */
    int64_t expiry_s; /* X-Amz-Date + X-Amz-Expires, or Expires of SigV2: judged by S3's clock */
    char where[URL_WHERE_MAX]; /* the public part; shortened with "..." when too long */
};

/*
 * How much of TEXT, a URL or what was meant to be one, is no secret: scheme, host and path. Ends
 * before '?', and before '&' or '#' or any of the three percent-encoded, as a query whose '?' was
 * lost on the way is a secret still.
 */
size_t url_public_length(const char *text);

/*
 * Reads URL: http or https, a host, no user or password, no fragment, printable ASCII. 0, or
 * -EINVAL, and then *WHY says in words what is wrong with it (a literal).
 */
int url_parse(const char *url, struct url_facts *facts, const char **why);

/* As url_parse, and plain http only where it is allowed. */
int url_check(const char *url, bool allow_http, struct url_facts *facts, const char **why);

#endif
