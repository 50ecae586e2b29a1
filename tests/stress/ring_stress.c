/*
 * usage: ring_stress waiting|losing RECORDS [CAPACITY]
 *
 * Two threads and one ring: RECORDS whole records go in, and what comes out is held against the
 * only rule there is: in order, each whole, and in + dropped = all.
 *
 *   waiting  the producer tries again when the ring is full: nothing may be missing
 *   losing   the producer goes on, and the consumer now and then waits until the ring is full and
 *            something was refused: the numbers missing must be exactly those the producer lost
 *
 * The counters start just below 2^32, so they wrap on the way. Exit code 1 with a line that says
 * what broke.
 *
 * DESIGN: each thread owns its end of the ring and its own tally. Besides the ring they share three
 * words, relaxed: these order nothing, so that ThreadSanitizer sees the ring's own ordering and no
 * other. main joins both, then compares.
 */
#include "core/record.h"
#include "core/ring.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_DEFAULT 1024u
#define START_COUNTER    (UINT32_MAX - 5000u)
#define FULL_WORDS       (sizeof(struct record) / sizeof(uint64_t))

struct producer_side {
    struct ring_producer ring;
    uint64_t records;
    bool losing;
    uint64_t drop_hash; /* over the numbers that were refused */
    uint64_t drops;
    _Atomic uint64_t refusals; /* drops, and the tries that were repeated */
    atomic_bool ended;         /* no record comes any more */
    const atomic_bool *over;
};

struct consumer_side {
    struct ring_consumer ring;
    uint64_t records;
    bool losing;
    uint64_t received;
    uint64_t missing;
    uint64_t missing_hash; /* over the numbers that did not come */
    uint64_t torn;
    uint64_t disordered;
    atomic_bool over; /* nobody reads any more: a broken run must end too */
    const struct producer_side *producer;
};

// Every word says which record it is of, and which word it is.
static uint64_t word_of(uint64_t number, size_t word)
{
    return number * UINT64_C(0x9e3779b97f4a7c15) + word;
}

static uint64_t hash_of(uint64_t number)
{
    return word_of(number, 1) ^ word_of(number, 2) << 17;
}

static void note_refusal(struct producer_side *side)
{
    atomic_fetch_add_explicit(&side->refusals, 1, memory_order_relaxed);
}

static uint64_t refusals_of(const struct producer_side *side)
{
    return atomic_load_explicit(&side->refusals, memory_order_relaxed);
}

static void *produce(void *argument)
{
    struct producer_side *side = argument;
    for (uint64_t number = 1; number <= side->records; number++) {
        uint64_t *slot = ring_reserve(&side->ring);
        // The last record always goes in: it tells the consumer that all is done.
        while (slot == NULL && (!side->losing || number == side->records) &&
               !atomic_load_explicit(side->over, memory_order_relaxed)) {
            note_refusal(side);
            sched_yield();
            slot = ring_reserve(&side->ring);
        }
        if (slot == NULL) {
            note_refusal(side);
            side->drop_hash += hash_of(number);
            if (++side->drops % 1024 == 0) {
                sched_yield(); // on one busy core, too, some records must get through
            }
            continue;
        }
        slot[0] = number;
        for (size_t i = 1; i < FULL_WORDS; i++) {
            slot[i] = word_of(number, i);
        }
        ring_publish(&side->ring);
    }
    atomic_store_explicit(&side->ended, true, memory_order_relaxed);
    return NULL;
}

static bool is_whole(const uint64_t *slot)
{
    bool whole = true;
    for (size_t i = 1; i < FULL_WORDS; i++) {
        whole &= slot[i] == word_of(slot[0], i);
    }
    return whole;
}

static void note_record(struct consumer_side *side, const uint64_t *slot, uint64_t *last)
{
    side->torn += !is_whole(slot);
    side->disordered += slot[0] <= *last;
    for (uint64_t number = *last + 1; number < slot[0] && number <= side->records; number++) {
        side->missing_hash += hash_of(number);
        side->missing++;
    }
    *last = slot[0];
    side->received++;
}

// Nothing is taken out meanwhile, so the ring fills whatever the scheduler does.
static void wait_for_a_refusal(const struct producer_side *producer)
{
    uint64_t before = refusals_of(producer);
    while (refusals_of(producer) == before &&
           !atomic_load_explicit(&producer->ended, memory_order_relaxed)) {
        sched_yield();
    }
}

static void *consume(void *argument)
{
    struct consumer_side *side = argument;
    uint64_t last = 0;
    uint32_t rounds = 0;
    while (last < side->records && side->torn + side->disordered == 0) {
        if (side->losing && rounds % 1024 == 0) {
            wait_for_a_refusal(side->producer);
        }
        uint32_t waiting = ring_waiting(&side->ring);
        // Batches of every size, so that releases fall anywhere in the ring.
        uint32_t batch = 1 + rounds++ % (side->ring.mask + 1);
        batch = batch < waiting ? batch : waiting;
        for (uint32_t i = 0; i < batch; i++) {
            note_record(side, ring_at(&side->ring, i), &last);
        }
        if (batch > 0) {
            ring_release(&side->ring, batch);
        }
        if (batch == 0) {
            sched_yield();
        }
    }
    atomic_store_explicit(&side->over, true, memory_order_relaxed);
    return NULL;
}

static int report(const struct producer_side *producer, const struct consumer_side *consumer)
{
    printf("records %" PRIu64 ", received %" PRIu64 ", dropped %" PRIu64 "\n", producer->records,
           consumer->received, producer->drops);
    struct {
        bool broken;
        const char *what;
    } rules[] = {
        {consumer->torn != 0, "a record was torn"},
        {consumer->disordered != 0, "a record came twice or out of order"},
        {refusals_of(producer) != producer->ring.dropped, "the ring's count of drops is wrong"},
        {consumer->missing != producer->drops, "not as many missing as dropped"},
        {consumer->missing_hash != producer->drop_hash, "others are missing than were dropped"},
        {consumer->received + producer->drops != producer->records, "records are unaccounted for"},
        {!producer->losing && producer->drops != 0, "a record was dropped though we waited"},
        {producer->losing && producer->drops == 0, "nothing was dropped: this run proves nothing"},
    };
    int broken = 0;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].broken) {
            fprintf(stderr, "ring_stress: error: %s\n", rules[i].what);
            broken = 1;
        }
    }
    return broken;
}

static void *new_ring(uint32_t capacity)
{
    size_t size = ring_storage_size(capacity, sizeof(struct record));
    void *storage = NULL;
    if (size == 0 || posix_memalign(&storage, RING_LINE, size) != 0 ||
        ring_format(storage, size, capacity, sizeof(struct record), 0) != 0) {
        fprintf(stderr, "ring_stress: error: no ring of capacity %" PRIu32 "\n", capacity);
        exit(2);
    }
    struct ring_shared *shared = storage;
    atomic_store(&shared->produced, START_COUNTER);
    atomic_store(&shared->consumed, START_COUNTER);
    return storage;
}

int main(int argc, char **argv)
{
    if (argc < 3 || (strcmp(argv[1], "waiting") != 0 && strcmp(argv[1], "losing") != 0)) {
        fprintf(stderr, "usage: ring_stress waiting|losing RECORDS [CAPACITY]\n");
        return 2;
    }
    bool losing = strcmp(argv[1], "losing") == 0;
    uint64_t records = strtoull(argv[2], NULL, 10);
    void *storage = new_ring(argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : CAPACITY_DEFAULT);
    struct producer_side producer = {.records = records, .losing = losing};
    struct consumer_side consumer = {.records = records, .losing = losing};
    producer.over = &consumer.over;
    consumer.producer = &producer;
    ring_producer_init(&producer.ring, storage);
    ring_consumer_init(&consumer.ring, storage);

    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, consume, &consumer) != 0 ||
        pthread_create(&threads[1], NULL, produce, &producer) != 0) {
        fprintf(stderr, "ring_stress: error: no thread\n");
        return 2;
    }
    pthread_join(threads[1], NULL);
    pthread_join(threads[0], NULL);
    int broken = report(&producer, &consumer);
    free(storage);
    return broken;
}
