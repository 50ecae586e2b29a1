/*
 * url_source: a long-lived address that hands out fresh presigned URLs, as JSON.
 *
 *   {"version": 1, "time_log": URL, "ntp_status": URL, "ntp_failed_status": URL,
 *    "expires": "2026-11-22T15:45:00Z"}
 *
 * URLs that are left out are not wanted; `expires` is for URLs that do not tell themselves. The
 * address is asked when there is nothing yet, within the last tenth of the URLs' life, and when S3
 * refuses one. How much life is left is reckoned from the answer's own Date and then counted on
 * CLOCK_MONOTONIC: our wall clock may be wrong. Uploader thread only.
 */
#ifndef UPLOAD_SUPPLY_H
#define UPLOAD_SUPPLY_H

#include "base/nstime.h"
#include "core/delivery.h"
#include "upload/backoff.h"
#include "upload/outcome.h"
#include "upload/put.h"
#include "upload/url.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Not asked again sooner after an answer. */
#define SUPPLY_REST_NS (60 * NS_PER_S)

struct supply_answer {
    char urls[OBJECT_COUNT][URL_MAX]; /* "": not wanted */
    int64_t expiry_s;                 /* the earliest one; 0 = none known */
    int64_t life_s;                   /* from signing to expiry; 0 = not known */
};

struct supply {
    struct supply_answer *answer; /* what was handed out last; NULL before the first time */
    bool stale_known;
    mono_time stale;      /* the last tenth of its life begins */
    mono_time not_before; /* no question before this instant */
    struct backoff backoff;
    enum outcome outcome; /* of the last question, OUTCOME_ACK = answered */
    char reason[sizeof((struct delivery_result *)0)->reason];
};

/*
 * Reads an answer. 0; -EINVAL and *WHY (a literal) says what is wrong; -ENOMEM. ALLOW_HTTP as in
 * url_check.
 */
int supply_parse(const char *text, bool allow_http, struct supply_answer *answer, const char **why);

/* Forgets everything: a new address. Zeroed memory is such a supply, too. */
void supply_reset(struct supply *supply);

/* Should the address be asked now? REFUSED: S3 does not take what was handed out. */
bool supply_is_due(const struct supply *supply, bool refused, mono_time now);

struct supply_question {
    const char *address;
    const struct put_options *options;
    const atomic_bool *abort;
    uint32_t random; /* uniform over all 32 bits */
};

/* Asks. True when supply->answer is new; else supply->outcome and reason say why not. */
bool supply_ask(struct supply *supply, struct put *put, const struct supply_question *question);

#endif
