/*
 * What an attempt to upload came to, and what follows from it: the retry table, as data.
 *
 *   how the transfer ended (enum transport)  ┐
 *   HTTP status                              ├─► rules ─► enum outcome ─► wait, others first?,
 * words S3's own error code                      ┘
 *
 * docs/S3.md shows both tables for people. Pure; any thread.
 */
#ifndef UPLOAD_OUTCOME_H
#define UPLOAD_OUTCOME_H

#include <stdbool.h>

/* How the exchange with the server ended. The HTTP library's own numbers stay in put.c. */
enum transport {
    TRANSPORT_ANSWERED,    /* a whole HTTP answer was read */
    TRANSPORT_BAD_ADDRESS, /* the URL can not be used */
    TRANSPORT_NO_NAME,     /* the host name was not resolved */
    TRANSPORT_NO_CONNECT,  /* nothing was reached */
    TRANSPORT_NO_TLS,      /* reached, but no TLS session came about */
    TRANSPORT_CERT_TIME,   /* the certificate is not valid yet, or no more */
    TRANSPORT_CERT_TRUST,  /* unknown issuer, wrong name: someone else may be answering */
    TRANSPORT_CERT_SETUP,  /* our CA file can not be read */
    TRANSPORT_BROKEN,      /* cut, stalled or garbled: stored or not, nobody knows */
    TRANSPORT_FLOOD,       /* an answer longer than S3 ever sends */
    TRANSPORT_FILE,        /* our own file could not be read, or was shorter than promised */
    TRANSPORT_MEMORY,
    TRANSPORT_ABORTED, /* we were told to stop */
    TRANSPORT_COUNT
};

enum outcome {
    OUTCOME_ACK,             /* stored and confirmed */
    OUTCOME_ALREADY,         /* an object of that name exists */
    OUTCOME_PORTAL,          /* somebody answered, but not S3 */
    OUTCOME_CONFIG,          /* region, bucket address, CA file: a person must act */
    OUTCOME_TRANSIENT,       /* S3 asks to try again */
    OUTCOME_DATA,            /* the bytes did not arrive as they are in the file */
    OUTCOME_PERMANENT,       /* this request will be refused each time */
    OUTCOME_CREDENTIAL,      /* expired, revoked, wrong signature, no such bucket */
    OUTCOME_CLOCK,           /* a clock is wrong: ours (TLS) or the signer's */
    OUTCOME_THROTTLE,        /* slow down */
    OUTCOME_OFFLINE,         /* the server was not reached */
    OUTCOME_UNKNOWN_OUTCOME, /* perhaps stored */
    OUTCOME_TRUST,           /* the server could not prove who it is */
    OUTCOME_LOCAL,           /* no memory here */
    OUTCOME_SHUTDOWN,        /* we stopped it */
    OUTCOME_COUNT
};

/* How long to wait; backoff.h has the figures. */
enum outcome_wait {
    WAIT_NONE,
    WAIT_BACKOFF,    /* full jitter, 5 s .. 15 min */
    WAIT_THROTTLE,   /* the same, but at least what Retry-After says */
    WAIT_CREDENTIAL, /* 15 min, 1 h, then every 6 h; at once with a new URL */
    WAIT_CLOCK,      /* every 15 min */
    WAIT_SLOW,       /* every 6 h; at once with a new configuration */
    WAIT_MINUTE,
};

/* Whose fault it is: may other segments of the same kind go first? */
enum outcome_scope {
    SCOPE_ALL,     /* the others would fare the same: wait */
    SCOPE_SEGMENT, /* this one only: others go first */
    SCOPE_SUSPECT, /* as SCOPE_ALL for three tries, then as SCOPE_SEGMENT */
};

struct outcome_answer {
    enum transport transport;
    int http_status;  /* 0 when there was none */
    bool confirmed;   /* the acknowledgement rule of put.h holds */
    const char *code; /* S3's <Code>, "" when there was none */
};

struct outcome_action {
    const char *name;  /* one word for status files */
    const char *words; /* for people */
    enum outcome_wait wait;
    enum outcome_scope scope;
};

enum outcome outcome_classify(const struct outcome_answer *answer);

/* Never NULL. */
const struct outcome_action *outcome_action(enum outcome outcome);

#endif
