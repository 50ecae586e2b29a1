/*
 * What came of an attempt, in one line for log and status. Printable; no query string, no secret.
 * Pure; any thread.
 */
#ifndef UPLOAD_REASON_H
#define UPLOAD_REASON_H

#include "upload/outcome.h"
#include "upload/put.h"

#include <stddef.h>
#include <stdint.h>

struct reason_context {
    const char *prefix; /* what comes first, "" for nothing */
    enum outcome outcome;
    const struct put_answer *answer;
    int64_t url_expiry_s; /* of the URL used; 0 = none known */
};

void reason_format(char *out, size_t size, const struct reason_context *context);

#endif
