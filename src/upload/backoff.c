#include "upload/backoff.h"

#include <stddef.h>

#define MINUTE_MS UINT32_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)

static const uint32_t credential_ms[] = {15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS};
#define CREDENTIAL_STEPS (sizeof credential_ms / sizeof credential_ms[0])

void backoff_reset(struct backoff *backoff)
{
    *backoff = (struct backoff){0, 0};
}

static uint32_t full_jitter(struct backoff *backoff, uint32_t random)
{
    uint32_t ceiling = BACKOFF_BASE_MS;
    for (uint32_t n = 0; n < backoff->failures && ceiling < BACKOFF_CAP_MS; n++) {
        ceiling *= 2;
    }
    ceiling = ceiling < BACKOFF_CAP_MS ? ceiling : BACKOFF_CAP_MS;
    backoff->failures += backoff->failures < UINT32_MAX;
    // Scales to 0..ceiling by multiplying: no modulo, no bias worth the name.
    uint32_t wait = (uint32_t)(((uint64_t)random * (ceiling + 1)) >> 32);
    return wait > BACKOFF_FLOOR_MS ? wait : BACKOFF_FLOOR_MS;
}

static uint32_t at_least_retry_after(uint32_t wait, int64_t retry_after_s)
{
    if (retry_after_s == BACKOFF_NO_RETRY_AFTER) {
        return wait;
    }
    int64_t asked = retry_after_s < 1 ? 1 : retry_after_s;
    asked = asked < BACKOFF_RETRY_AFTER_MAX ? asked : BACKOFF_RETRY_AFTER_MAX;
    uint32_t asked_ms = (uint32_t)asked * 1000;
    return wait > asked_ms ? wait : asked_ms;
}

static uint32_t credential_wait(struct backoff *backoff)
{
    uint32_t step = backoff->credentials;
    backoff->credentials += step < CREDENTIAL_STEPS - 1;
    return credential_ms[step];
}

uint32_t backoff_next_ms(struct backoff *backoff, enum outcome_wait wait, int64_t retry_after_s,
                         uint32_t random)
{
    static const uint32_t fixed_ms[] = {
        [WAIT_NONE] = 0,
        [WAIT_CLOCK] = 15 * MINUTE_MS,
        [WAIT_SLOW] = 6 * HOUR_MS,
        [WAIT_MINUTE] = MINUTE_MS,
    };
    if (wait == WAIT_BACKOFF) {
        return full_jitter(backoff, random);
    }
    if (wait == WAIT_THROTTLE) {
        return at_least_retry_after(full_jitter(backoff, random), retry_after_s);
    }
    return wait == WAIT_CREDENTIAL ? credential_wait(backoff) : fixed_ms[wait];
}
