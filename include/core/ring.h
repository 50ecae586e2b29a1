/*
 * The ring between the sampler and the writer: one producer, one consumer, no lock, no wait.
 *
 *   storage:  | header | produced (own line) | consumed (own line) | slot 0 | ... | slot N-1 |
 *
 *             consumed            produced
 *                v                   v
 *   slots:   . . [x][x][x][x][x][x][x] . . .      produced - consumed = records waiting, 0..N
 *
 * Both counters run freely through 2^32 and are compared only by their unsigned difference; slot
 * number = counter & (N-1), N a power of two. The storage is the caller's and may be a mapped file
 * shared with the next process: everything that must survive is in it, and the two handles below
 * hold only what can be derived again. Nothing here allocates.
 *
 * Who may call: ring_reserve/ring_publish from one thread (the producer), ring_waiting/ring_at/
 * ring_release from one thread (the consumer), both wait-free. ring_reserve returns NULL for one
 * reason only: the ring is full. The newest record is then dropped and counted, because only the
 * consumer may move `consumed`.
 */
#ifndef CORE_RING_H
#define CORE_RING_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two cache lines: neighbours are fetched in pairs, and the two sides must not share either. */
#define RING_LINE 128

#define RING_CAPACITY_MIN 2u
#define RING_CAPACITY_MAX (1u << 24)

/* Every slot suits any integer type. */
#define RING_SLOT_ALIGN 8u
#define RING_SLOT_MAX   (1u << 16)

struct ring_header {
    uint32_t magic;
    uint32_t version;
    uint32_t slot_size;
    uint32_t capacity;
    uint32_t owner_id; /* the caller's: a boot id says whether the records are of this boot */
    uint32_t check;    /* over the fields above */
};

struct ring_shared {
    _Alignas(RING_LINE) struct ring_header header;
    _Alignas(RING_LINE) _Atomic uint32_t produced; /* written by the producer only */
    _Atomic uint32_t refused;    /* likewise: records refused in a row, for the next process ... */
    _Atomic uint32_t refused_at; /* ... when `produced` was this; else it is an old story */
    _Alignas(RING_LINE) _Atomic uint32_t consumed; /* written by the consumer only */
    _Alignas(RING_LINE) unsigned char slots[];
};

struct ring_producer {
    struct ring_shared *shared;
    uint32_t mask;
    uint32_t slot_size;
    uint32_t next;     /* our own `produced` */
    uint32_t consumed; /* what we last saw of the other side; only ever behind */
    uint64_t dropped;  /* records refused because the ring was full */
};

struct ring_consumer {
    struct ring_shared *shared;
    uint32_t mask;
    uint32_t slot_size;
    uint32_t next; /* our own `consumed` */
};

/*
 * Bytes of storage for a ring, or 0 when CAPACITY is no power of two in range or SLOT_SIZE is no
 * multiple of RING_SLOT_ALIGN in range.
 */
size_t ring_storage_size(uint32_t capacity, uint32_t slot_size);

/* Makes an empty ring in SIZE bytes at STORAGE (aligned to RING_LINE). 0 or -EINVAL. */
int ring_format(void *storage, size_t size, uint32_t capacity, uint32_t slot_size,
                uint32_t owner_id);

/*
 * Checks that STORAGE holds a ring of exactly this shape, as a former process left it. 0, or
 * -EBADMSG when header, check or counters are not credible: then format it anew. The owner_id is
 * for the caller to compare. Call it before any thread uses the ring.
 */
int ring_check(const void *storage, size_t size, uint32_t capacity, uint32_t slot_size);

/* Records that the former process was refused since the last one that went in. */
uint32_t ring_refused(const void *storage);

/* Take one end each of a formatted or checked ring. */
void ring_producer_init(struct ring_producer *producer, void *storage);
void ring_consumer_init(struct ring_consumer *consumer, void *storage);

static inline void *ring_slot(struct ring_shared *shared, uint32_t index, uint32_t slot_size)
{
    return shared->slots + (size_t)index * slot_size;
}

/* Slots the producer asks for ahead of writing them. */
#define RING_AHEAD 4u

/*
 * Fetches the slot RING_AHEAD places on, to be written. Its lines are still in the consumer's
 * cache from the last lap; asked for one by one as they are written, each would cost the producer
 * a wait. A hint only: it changes no memory, whoever owns the slot now.
 */
static inline void ring_fetch_ahead(const struct ring_producer *p)
{
    uint32_t index = (p->next + RING_AHEAD) & p->mask;
    const char *slot = (const char *)ring_slot(p->shared, index, p->slot_size);
    for (uint32_t offset = 0; offset < p->slot_size; offset += RING_LINE / 2) {
#if defined __x86_64__
        // The builtin would fetch for reading, which is worse than nothing, unless the compiler is
        // told of this instruction. Processors that do not know it take it as no operation.
        __asm__ volatile("prefetchw %0" : : "m"(slot[offset]));
#else
        __builtin_prefetch(slot + offset, 1);
#endif
    }
}

/* The ring is full: counts the record as dropped, also for a process that finds the ring later. */
static inline void ring_refuse(struct ring_producer *p)
{
    p->dropped++;
    // Relaxed: nobody reads these while we live. The place last, so that a kill between the two
    // leaves an old place, which says "none", and not a new place with an old count.
    bool again = atomic_load_explicit(&p->shared->refused_at, memory_order_relaxed) == p->next;
    uint32_t before = again ? atomic_load_explicit(&p->shared->refused, memory_order_relaxed) : 0;
    atomic_store_explicit(&p->shared->refused, before + 1, memory_order_relaxed);
    atomic_store_explicit(&p->shared->refused_at, p->next, memory_order_relaxed);
}

/* The slot to fill next, or NULL when full: then the record is counted as dropped. */
static inline void *ring_reserve(struct ring_producer *p)
{
    if (p->next - p->consumed > p->mask) {
        // Acquire pairs with the release in ring_release: the consumer has finished reading the
        // slot before we may overwrite it. Only looked at when our old view says "full".
        uint32_t consumed = atomic_load_explicit(&p->shared->consumed, memory_order_acquire);
        if (p->next - consumed > p->mask) {
            ring_refuse(p);
            return NULL;
        }
        p->consumed = consumed;
    }
    ring_fetch_ahead(p);
    return ring_slot(p->shared, p->next & p->mask, p->slot_size);
}

/* Hands the reserved slot over. */
static inline void ring_publish(struct ring_producer *p)
{
    p->next++;
    // Release: the consumer that sees the new count also sees the record in the slot. Weaker, and
    // it could read a slot that is still being filled.
    atomic_store_explicit(&p->shared->produced, p->next, memory_order_release);
}

/* Records waiting, looking at the other side. */
static inline uint32_t ring_waiting(struct ring_consumer *c)
{
    // Acquire pairs with the release in ring_publish: see there. What was seen is not stored: a
    // consumer that polls would queue those stores before the ones that matter.
    return atomic_load_explicit(&c->shared->produced, memory_order_acquire) - c->next;
}

/* The I-th waiting record, I below what ring_waiting returned; valid until released. */
static inline const void *ring_at(const struct ring_consumer *c, uint32_t i)
{
    return ring_slot(c->shared, (c->next + i) & c->mask, c->slot_size);
}

/* Gives the oldest COUNT slots back, at most what ring_waiting returned. */
static inline void ring_release(struct ring_consumer *c, uint32_t count)
{
    c->next += count;
    // Release is the producer's licence to overwrite: our reads of the slots stay before it.
    atomic_store_explicit(&c->shared->consumed, c->next, memory_order_release);
}

/* How full the ring is, as the producer sees it now (never less than it is). */
static inline uint32_t ring_level(struct ring_producer *p)
{
    p->consumed = atomic_load_explicit(&p->shared->consumed, memory_order_acquire);
    return p->next - p->consumed;
}

#endif
