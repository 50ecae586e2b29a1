/*
 * The way out, as the uploader sees it: hand over one object, get a verdict.
 *
 * The upload layer implements this with HTTP; tests implement it with a table. The uploader thread
 * is the only caller.
 */
#ifndef CORE_DELIVERY_H
#define CORE_DELIVERY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum delivery_object { OBJECT_TIME_LOG, OBJECT_NTP_STATUS, OBJECT_NTP_FAILED_STATUS, OBJECT_COUNT };

enum delivery_verdict {
    DELIVERY_ACKNOWLEDGED, /* stored, confirmed: may be deleted here */
    DELIVERY_RETRY,        /* not confirmed: keep it, try the same bytes again after retry_in_ms */
    DELIVERY_LATER,        /* this one object is refused for what it is: others may go first */
    DELIVERY_UNWANTED,     /* no address is configured for this kind of object */
    DELIVERY_ABORTED,      /* we were told to stop: nothing is known */
};

struct delivery_request {
    enum delivery_object object;
    int fd;             /* an open regular file to send from offset 0, or -1: then DATA */
    const char *data;   /* memory to send when fd is -1 */
    uint64_t size;      /* bytes to send */
    const uint8_t *md5; /* the 16 bytes it is known to have as it was written, or NULL */
    const char *name;   /* a name that identifies the content, for per-segment keys; no path */
    const atomic_bool *abort; /* becomes true when the transfer must end within a second */
};

struct delivery_result {
    enum delivery_verdict verdict;
    bool offline;         /* no answer came: trying other objects now would only cost time */
    int http_status;      /* 0: no answer */
    uint32_t retry_in_ms; /* with RETRY and LATER */
    char reason[192];     /* for log and status: printable, no query string */
};

struct delivery {
    void (*put)(struct delivery *delivery, const struct delivery_request *request,
                struct delivery_result *result);
};

/* The word for the object in logs: "time_log.csv", "ntp_status.txt", "ntp_failed_status.txt". */
const char *delivery_object_name(enum delivery_object object);

#endif
