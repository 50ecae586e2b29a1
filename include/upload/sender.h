/*
 * The way out over HTTP: implements struct delivery by presigned URLs, one per kind of object.
 *
 * Threads: sender_delivery's put() belongs to one thread (the uploader's), which has SIGPIPE
 * blocked; configure and get_state may be called by any other thread at any time, also while a
 * transfer runs. A transfer under way ends with the URL it began with. Leaves do not log: what
 * happened is in the delivery result, and in the state for status files.
 *
 * In a result's reason, DELIVERY_ACKNOWLEDGED leaves a remark worth one log line, or "".
 */
#ifndef UPLOAD_SENDER_H
#define UPLOAD_SENDER_H

#include "base/nstime.h"
#include "core/delivery.h"
#include "upload/outcome.h"
#include "upload/url.h"

#include <stdbool.h>
#include <stdint.h>

struct sender;

/* Longest path of a CA file and longest proxy address, NUL included. */
#define SENDER_TEXT_MAX 512

/* All strings are copied; NULL is as good as "". */
struct sender_config {
    const char *urls[OBJECT_COUNT]; /* "": objects of this kind are not wanted */
    const char *ca_bundle;          /* "": the system's */
    const char *proxy;              /* "": none */
    const char *user_agent;
    int64_t
        time_floor_s; /* it is not earlier than this, s since the epoch: build, last known good */
    bool allow_http;
};

struct sender_lane_state {
    bool wanted;
    bool attempted;       /* the fields down to reason are known */
    enum outcome outcome; /* of the last attempt */
    int http_status;      /* 0: no answer */
    char reason[sizeof((struct delivery_result *)0)->reason];
    mono_time not_before;      /* the next attempt is due then, or overdue */
    bool acknowledged;         /* ack_time is known */
    mono_time ack_time;        /* of the last acknowledgement */
    bool expires;              /* expiry_s is known */
    int64_t expiry_s;          /* of the URL, s since the epoch */
    char where[URL_WHERE_MAX]; /* the URL without its query */
    uint64_t attempts;
    uint64_t acks;
    uint64_t bytes_acked;
};

struct sender_state {
    struct sender_lane_state lanes[OBJECT_COUNT];
    bool server_time_known;
    int64_t
        server_ahead_s; /* the last answer's Date minus our wall clock: to the second, untrusted */
};

/* 0, -ENOMEM, -EINVAL for a URL that sender_check_url refuses, -ENAMETOOLONG for another text. */
int sender_open(struct sender **sender, const struct sender_config *config);
void sender_close(struct sender *sender);

/* Lives as long as the sender. */
struct delivery *sender_delivery(struct sender *sender);

/*
 * Takes new settings. All waits end: the next put() tries at once. On failure (as sender_open) the
 * old settings stay.
 */
int sender_configure(struct sender *sender, const struct sender_config *config);

/* TIME_S was just now a time known to be right. The floor only ever rises. */
void sender_raise_time_floor(struct sender *sender, int64_t time_s);

void sender_get_state(struct sender *sender, struct sender_state *state);

/* Would this URL be used? 0, or -EINVAL and *WHY says in words why not. "" is fine. */
int sender_check_url(const char *url, bool allow_http, const char **why);

#endif
