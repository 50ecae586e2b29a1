/*
 * One sender, one canned server before it, and what the last put gave: what the sender's tests
 * share.
 */
#ifndef SENDER_BENCH_H
#define SENDER_BENCH_H

#include "canned_server.h"
#include "upload/sender.h"

#include <stdatomic.h>
#include <stddef.h>

#define COUNT(array)   (sizeof(array) / sizeof(array)[0])
#define STORED_AS(md5) "HTTP/1.1 200 OK\r\nETag: \"" md5 "\"\r\nContent-Length: 0\r\n\r\n"
#define MD5_OF_ABC     "900150983cd24fb0d6963f7d28e17f72"
#define MD5_LINE       "\r\nContent-MD5: kAFQmDzST7DWlj99KOF/cg==\r\n"
#define REFUSED(code)                                                                              \
    "HTTP/1.1 403 No\r\nConnection: close\r\n\r\n<Error><Code>" code "</Code></Error>"
#define SIGV4 "X-Amz-Date=20261122T154500Z&X-Amz-Expires=600&X-Amz-Signature=canary"
#define SIGV2 "AWSAccessKeyId=k&Expires=1795362300&Signature=canary"

extern struct sender *sender;
extern struct canned_server server;
extern struct delivery_result result;
extern struct sender_state shown;
extern atomic_bool no_abort;
extern char url[256];

/* Settings that send time_log.csv to ADDRESS. */
struct sender_config config_with(const char *address);

/* Starts the server with its REPLIES, and a sender whose time_log.csv goes there with QUERY. */
void open_sender(const struct canned_reply *replies, size_t count, const char *query);

/* A teardown. */
int close_sender(void **state);

/* Puts DATA, fills `result` and `shown`, and sees that no secret is told. */
void put_text(enum delivery_object object, const char *data);

#endif
