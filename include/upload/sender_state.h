/* What one may know of the sender (sender.h): a copy, for status files. */
#ifndef UPLOAD_SENDER_STATE_H
#define UPLOAD_SENDER_STATE_H

#include "base/nstime.h"
#include "core/delivery.h"
#include "upload/outcome.h"
#include "upload/url.h"

#include <stdbool.h>
#include <stdint.h>

#define SENDER_REASON_MAX sizeof(((struct delivery_result *)0)->reason)

struct sender_lane_state {
    bool wanted;
    bool attempted;       /* the fields down to reason are known */
    enum outcome outcome; /* of the last attempt */
    int http_status;      /* 0: no answer */
    char reason[SENDER_REASON_MAX];
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

/* url_source */
struct sender_source_state {
    bool wanted;
    bool asked;           /* the next two are known */
    enum outcome outcome; /* of the last question; OUTCOME_ACK = it answered */
    char reason[SENDER_REASON_MAX];
    bool answered;
    mono_time answer_time; /* of the last good answer */
    char where[URL_WHERE_MAX];
};

struct sender_state {
    struct sender_source_state source;
    struct sender_lane_state lanes[OBJECT_COUNT];
    bool server_time_known;
    int64_t server_ahead_s; /* the last answer's Date minus our wall clock; untrusted */
};

#endif
