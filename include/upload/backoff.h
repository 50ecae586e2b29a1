/*
 * How long to wait before the next attempt. Pure: the caller brings the random number.
 *
 * Full jitter: uniform over 0 .. min(15 min, 5 s * 2^n), at least 1 s, n = failures in a row.
 * Many cameras that lost the same server do not come back in step.
 */
#ifndef UPLOAD_BACKOFF_H
#define UPLOAD_BACKOFF_H

#include "upload/outcome.h"

#include <stdint.h>

#define BACKOFF_BASE_MS         5000
#define BACKOFF_CAP_MS          900000
#define BACKOFF_FLOOR_MS        1000
#define BACKOFF_RETRY_AFTER_MAX 3600 /* s */

/* Retry-After was absent or unreadable. */
#define BACKOFF_NO_RETRY_AFTER INT64_MIN

struct backoff {
    uint32_t failures;    /* in a row, of the full-jitter kind */
    uint32_t credentials; /* refusals in a row */
};

/* After an acknowledgement, or with a new configuration: as if nothing had happened. */
void backoff_reset(struct backoff *backoff);

/*
 * The wait after one more attempt that ended in WAIT, in ms. RANDOM is uniform over all 32 bits.
 * RETRY_AFTER_S is what the server asked for: a wrong clock on either side makes nonsense of a
 * date there, so it is clamped to 1 s .. 1 h. 0 for WAIT_NONE.
 */
uint32_t backoff_next_ms(struct backoff *backoff, enum outcome_wait wait, int64_t retry_after_s,
                         uint32_t random);

#endif
