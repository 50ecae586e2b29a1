#include "core/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define RING_MAGIC   0x676e6972u /* "ring" in memory on little-endian machines */
#define RING_VERSION 1u

static_assert(ATOMIC_INT_LOCK_FREE == 2, "the counters are shared between processes");
static_assert(sizeof(struct ring_shared) % RING_LINE == 0, "slots start on a line of their own");

// FNV-1a over the fields before CHECK: finds torn and foreign headers; not a guard against malice,
// the file is private to its owner.
static uint32_t header_check(const struct ring_header *header)
{
    const unsigned char *bytes = (const unsigned char *)header;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < offsetof(struct ring_header, check); i++) {
        hash = (hash ^ bytes[i]) * 16777619u;
    }
    return hash;
}

static bool shape_is_valid(uint32_t capacity, uint32_t slot_size)
{
    bool power_of_two = (capacity & (capacity - 1)) == 0;
    return power_of_two && capacity >= RING_CAPACITY_MIN && capacity <= RING_CAPACITY_MAX &&
           slot_size != 0 && slot_size % RING_SLOT_ALIGN == 0 && slot_size <= RING_SLOT_MAX;
}

size_t ring_storage_size(uint32_t capacity, uint32_t slot_size)
{
    if (!shape_is_valid(capacity, slot_size)) {
        return 0;
    }
    uint64_t size = sizeof(struct ring_shared) + (uint64_t)capacity * slot_size;
    return size <= SIZE_MAX ? (size_t)size : 0;
}

static bool storage_fits(const void *storage, size_t size, uint32_t capacity, uint32_t slot_size)
{
    size_t needed = ring_storage_size(capacity, slot_size);
    return needed != 0 && size >= needed && (uintptr_t)storage % RING_LINE == 0;
}

int ring_format(void *storage, size_t size, uint32_t capacity, uint32_t slot_size,
                uint32_t owner_id)
{
    if (!storage_fits(storage, size, capacity, slot_size)) {
        return -EINVAL;
    }
    struct ring_shared *shared = storage;
    shared->header = (struct ring_header){
        .magic = RING_MAGIC,
        .version = RING_VERSION,
        .slot_size = slot_size,
        .capacity = capacity,
        .owner_id = owner_id,
    };
    atomic_init(&shared->produced, 0);
    atomic_init(&shared->consumed, 0);
    atomic_init(&shared->refused, 0);
    atomic_init(&shared->refused_at, 0);
    shared->header.check = header_check(&shared->header);
    return 0;
}

int ring_check(const void *storage, size_t size, uint32_t capacity, uint32_t slot_size)
{
    if (!storage_fits(storage, size, capacity, slot_size)) {
        return -EBADMSG;
    }
    const struct ring_shared *shared = storage;
    const struct ring_header *header = &shared->header;
    if (header->magic != RING_MAGIC || header->version != RING_VERSION ||
        header->slot_size != slot_size || header->capacity != capacity ||
        header->check != header_check(header)) {
        return -EBADMSG;
    }
    // Relaxed: nobody else runs on this storage yet; the former process is dead.
    uint32_t produced = atomic_load_explicit(&shared->produced, memory_order_relaxed);
    uint32_t consumed = atomic_load_explicit(&shared->consumed, memory_order_relaxed);
    return produced - consumed <= capacity ? 0 : -EBADMSG;
}

uint32_t ring_refused(const void *storage)
{
    const struct ring_shared *shared = storage;
    // Relaxed: as in ring_check.
    uint32_t at = atomic_load_explicit(&shared->refused_at, memory_order_relaxed);
    bool now = at == atomic_load_explicit(&shared->produced, memory_order_relaxed);
    return now ? atomic_load_explicit(&shared->refused, memory_order_relaxed) : 0;
}

void ring_producer_init(struct ring_producer *producer, void *storage)
{
    struct ring_shared *shared = storage;
    // Relaxed: the threads start after this, and starting a thread orders it.
    *producer = (struct ring_producer){
        .shared = shared,
        .mask = shared->header.capacity - 1,
        .slot_size = shared->header.slot_size,
        .next = atomic_load_explicit(&shared->produced, memory_order_relaxed),
        .consumed = atomic_load_explicit(&shared->consumed, memory_order_relaxed),
    };
}

void ring_consumer_init(struct ring_consumer *consumer, void *storage)
{
    struct ring_shared *shared = storage;
    // Relaxed: as in ring_producer_init.
    *consumer = (struct ring_consumer){
        .shared = shared,
        .mask = shared->header.capacity - 1,
        .slot_size = shared->header.slot_size,
        .next = atomic_load_explicit(&shared->consumed, memory_order_relaxed),
    };
}
