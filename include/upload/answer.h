/*
 * A server's answer as it arrives: header lines and body bytes in, the few facts that matter out.
 *
 * The bytes come from anybody (a portal, an attacker): every count is bounded, nothing is kept but
 * what matched, and there is no XML engine, only a bounded search for <Code>. Pure; one thread.
 */
#ifndef UPLOAD_ANSWER_H
#define UPLOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than this is not S3 and ends the transfer. */
#define ANSWER_HEADERS_MAX 16384
#define ANSWER_BODY_MAX    65536
/* S3's error code is near the beginning. */
#define ANSWER_KEPT_MAX 2048

struct answer {
    bool etag_formed;      /* an ETag of S3's form was there */
    char etag_md5[33];     /* that ETag, lower case, when it has the form of an MD5, else "" */
    char code[48];         /* S3's error code, "" before answer_finish or when there is none */
    int64_t date_s;        /* the server's Date, s since the epoch; 0 when absent or unreadable */
    int64_t retry_after_s; /* as the server meant it; BACKOFF_NO_RETRY_AFTER when absent */

    uint64_t header_bytes;
    uint64_t body_bytes;
    bool retry_after_is_date;
    char kept[ANSWER_KEPT_MAX]; /* the first body bytes, as they came */
};

void answer_begin(struct answer *answer);

/*
 * One header line of LEN bytes, line end included. A status line starts anew (an interim answer
 * came before). False when the headers grow beyond ANSWER_HEADERS_MAX.
 */
bool answer_add_header(struct answer *answer, const char *line, size_t len);

/* The next LEN body bytes. False when the body grows beyond ANSWER_BODY_MAX. */
bool answer_add_body(struct answer *answer, const char *data, size_t len);

/* All has arrived, or as much as ever will: finds the error code, settles Retry-After. */
void answer_finish(struct answer *answer);

#endif
