#include "ring_place.h"

#include "core/record.h"
#include "core/ring.h"

#include <errno.h>
#include <sys/mman.h>

#define CAPACITY_MIN 1024u
#define HOLD_MS      8000u

struct ring_place ring_place_none(void)
{
    return (struct ring_place){.description = "none"};
}

static uint32_t capacity_for(uint32_t sample_interval_ms)
{
    uint32_t capacity = CAPACITY_MIN;
    while (capacity < HOLD_MS / sample_interval_ms) {
        capacity *= 2;
    }
    return capacity;
}

int ring_place_open(struct ring_place *place, const char *dir, uint32_t sample_interval_ms,
                    uint32_t boot_id)
{
    (void)dir;
    uint32_t capacity = capacity_for(sample_interval_ms);
    place->size = ring_storage_size(capacity, sizeof(struct record));
    void *storage =
        mmap(NULL, place->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (storage == MAP_FAILED) {
        return -errno;
    }
    place->storage = storage;
    place->description = "plain memory: a killed process loses what is not committed";
    return ring_format(storage, place->size, capacity, sizeof(struct record), boot_id);
}

void ring_place_close(struct ring_place *place)
{
    if (place->storage != NULL) {
        munmap(place->storage, place->size);
        place->storage = NULL;
    }
}
