/*
 * Where the ring's records live. Private to this layer.
 */
#ifndef APP_RING_PLACE_H
#define APP_RING_PLACE_H

#include <stddef.h>
#include <stdint.h>

struct ring_place {
    void *storage; /* a formatted ring of struct record; NULL = none */
    size_t size;
    const char *description; /* for log and status */
};

struct ring_place ring_place_none(void);

/* A ring for at least 8 s of samples, never fewer than 1024. 0 or -errno. */
int ring_place_open(struct ring_place *place, const char *dir, uint32_t sample_interval_ms,
                    uint32_t boot_id);
void ring_place_close(struct ring_place *place);

#endif
