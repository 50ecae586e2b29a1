/*
 * What the sender knows of one kind of object: its URL, its patience, its state. Private to the
 * sender, whose mutex guards it.
 */
#ifndef UPLOAD_SENDER_LANE_H
#define UPLOAD_SENDER_LANE_H

#include "upload/attempt.h"
#include "upload/lane.h"
#include "upload/sender_state.h"

struct sender_lane {
    char url[URL_MAX]; /* "": none yet, or not wanted, or direct mode */
    struct url_facts facts;
    struct lane policy;
    uint64_t url_acks; /* with this URL */
    bool md5_refused;  /* this URL's signature does not go with Content-MD5 */
    bool etag_told;    /* that the ETag is not the MD5 */
    bool refused;      /* this URL is worth as much as none */
    struct sender_lane_state state;
};

/* Takes another URL, which was checked; the same one again changes nothing. */
void sender_lane_take_url(struct sender_lane *lane, const char *url);

/* The next attempt may come at once, as if nothing had failed. */
void sender_lane_end_wait(struct sender_lane *lane);

/* Notes what an attempt came to, and makes it the result. */
void sender_lane_note(struct sender_lane *lane, const struct delivery_request *request,
                      const struct attempt *attempt, struct delivery_result *result);

/* Uniform over all 32 bits; good enough to spread attempts. */
uint32_t sender_lane_random(void);

#endif
