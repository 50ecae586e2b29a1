/* What one tells the sender (sender.h): where to, with which keys, trusting whom. */
#ifndef UPLOAD_SENDER_CONFIG_H
#define UPLOAD_SENDER_CONFIG_H

#include "core/delivery.h"

#include <stdbool.h>
#include <stdint.h>

/* Longest path of a CA file and longest proxy address, NUL included. */
#define SENDER_TEXT_MAX 512

/* All strings are copied; NULL is as good as "". */
struct sender_config {
    const char *urls[OBJECT_COUNT]; /* "": objects of this kind are not wanted */
    const char *url_source;         /* "": none */
    const char *s3_endpoint;        /* "": no direct mode; else the next five count */
    const char *s3_region;
    const char *s3_bucket;
    const char *s3_prefix; /* may be "" */
    const char *s3_key_id;
    const char *s3_secret;
    const char *ca_bundle; /* "": the system's */
    const char *proxy;     /* "": none */
    const char *user_agent;
    int64_t time_floor_s; /* it is not earlier than this, s since the epoch (tls_time.h) */
    bool allow_http;
    bool compress; /* send the time log packed by gzip (Content-Encoding) */
};

#endif
