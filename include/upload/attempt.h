/*
 * One attempt to upload one object: checksum, transfer, verdict of the table. Uploader thread only.
 *
 * Content-MD5 makes S3 check the bytes. Some signers count it among the headers they signed, and
 * refuse it: then the same attempt goes on without it. It is of the bytes sent: the packed ones.
 *
 * A request that brings its MD5 saves the pass over the file, and S3 then checks what was once
 * written. Where S3 says that the bytes are others, the file is read for the MD5 of what is there
 * now. If that is another one, the disk changed the file, and the same attempt sends it as it is: a
 * damaged row is worth more in the bucket than refused for ever. If not, they changed on the way.
 */
#ifndef UPLOAD_ATTEMPT_H
#define UPLOAD_ATTEMPT_H

#include "core/delivery.h"
#include "upload/digest.h"
#include "upload/outcome.h"
#include "upload/put.h"

#include <stdbool.h>

struct attempt_target {
    const char *url;
    const struct put_options *options;
    const struct put_key *key; /* NULL: the URL is signed already */
    bool send_md5;
    bool compress; /* send it packed by gzip, and say so */
};

struct attempt {
    struct put_answer answer;
    struct digest digest;
    bool digest_known;
    bool md5_refused;  /* it was tried without Content-MD5, too */
    bool file_differs; /* from what was written; it was tried as it is now, too */
    enum outcome outcome;
};

void attempt_run(struct attempt *attempt, struct put *put, const struct attempt_target *target,
                 const struct delivery_request *request);

#endif
