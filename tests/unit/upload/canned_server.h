/*
 * An HTTP server on loopback that answers each request with canned bytes and remembers what came.
 *
 * A thread of its own; it asserts nothing. Read `seen` after canned_stop.
 */
#ifndef CANNED_SERVER_H
#define CANNED_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANNED_MAX 8

struct canned_reply {
    const char *bytes; /* NULL: say nothing */
    bool greet;        /* answer as soon as connected, whatever comes */
    bool early;        /* answer before the body was read */
    bool hang;         /* then neither send nor close until the server stops */
    bool reset;        /* close with RST */
    bool keep;         /* leave the connection open for the next request */
    uint32_t flood;    /* afterwards this many bytes of noise */
};

struct canned_request {
    char head[4096];
    char body[4096]; /* its beginning */
    uint64_t body_bytes;
};

struct canned_server {
    unsigned port;
    const struct canned_reply *replies; /* one per request, the last one for all others */
    size_t reply_count;
    struct canned_request seen[CANNED_MAX];
    atomic_size_t seen_count;
    atomic_size_t connections;
    int listener;
    int stop_pipe[2];
    pthread_t thread;
};

/* 0 or -errno. REPLIES outlive the server. */
int canned_start(struct canned_server *server, const struct canned_reply *replies, size_t count);
void canned_stop(struct canned_server *server);

#endif
