/*
 * One HTTP exchange: an open file or memory PUT, or a small document fetched. The only file that
 * knows libcurl.
 *
 * The object counts as stored (`confirmed`) only when all of this holds: the transfer is complete,
 * HTTP 200, an ETag of S3's form, an empty body, as many bytes sent as promised, no redirect, and
 * with https a verified server. A cut answer or a login page can look like a success in each
 * single one of them.
 *
 * One thread at a time uses a handle, with SIGPIPE blocked or ignored. Memory is constant,
 * whatever the size; the connection and the TLS session are kept between calls. The HTTP library
 * is started with the first transfer, not before; OpenSSL below it by put_open. Nothing of the
 * environment (proxy, netrc, home) has any influence.
 */
#ifndef UPLOAD_PUT_H
#define UPLOAD_PUT_H

#include "upload/outcome.h"
#include "upload/stream.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct put;

struct put_options {
    const char *user_agent;
    const char *ca_bundle; /* "": the system's */
    const char *proxy;     /* "": none, not even one of the environment */
    int64_t time_floor_s;  /* it is not earlier than this, whatever our clock says; tls_time.h */
    bool allow_http;
};

/* Credentials with which the HTTP library signs a request itself (SigV4, payload not hashed). */
struct put_key {
    const char *region;
    const char *id;
    const char *secret;
};

struct put_request {
    const struct put_options *options;
    const char *url;
    const struct put_key *key;    /* NULL: the URL carries its signature */
    struct stream *body;          /* at its beginning */
    const char *content_md5;      /* base64, or NULL: no such header */
    const char *content_encoding; /* likewise */
    const atomic_bool *abort;     /* true: end within about a second, also while resolving */
};

struct put_answer {
    enum transport transport;
    int http_status;       /* 0: none came */
    bool confirmed;        /* stored, by the rule above */
    char etag_md5[33];     /* the ETag when it looks like an MD5, else "" */
    char code[48];         /* S3's error code, else "" */
    char detail[96];       /* the library's words when there was no answer; printable, no query */
    int64_t retry_after_s; /* BACKOFF_NO_RETRY_AFTER when absent */
    int64_t date_s;        /* the server's Date, s since the epoch; 0 = absent */
    int64_t verify_time_s; /* when certificates were verified: our clock, or the floor above it */
    uint64_t sent;         /* body bytes handed to the network */
};

/* 0 or -ENOMEM. Before anything else that uses OpenSSL. */
int put_open(struct put **put);
void put_close(struct put *put);

/* A small document to GET. */
struct put_fetch {
    const struct put_options *options;
    const char *url;
    const atomic_bool *abort;
    char *document; /* the caller's room for it */
    size_t size;    /* of that room, the NUL at the document's end included */
};

/* Sends one object. Blocks, at most about 60 s + size / (8 KiB/s). */
void put_send(struct put *put, const struct put_request *request, struct put_answer *answer);

/*
 * Fetches one document. `confirmed`: HTTP 200, complete, and the NUL-terminated document is there;
 * a longer one ends as TRANSPORT_FLOOD.
 */
void put_fetch(struct put *put, const struct put_fetch *fetch, struct put_answer *answer);

#endif
