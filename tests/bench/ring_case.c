/*
 * The product's ring as a queue case: one publish per message, batches out, one release per batch.
 */
#include "queue.h"

#include "core/ring.h"

#include <stdlib.h>

// A consumer that finds less than an eighth of the ring waits a little, up to so many times: each
// look takes the line with `produced` away from the producer, and the last slots with it. The
// product's writer waits much longer, for its next commit.
#define LOOKS_MAX 16

struct ring_queue {
    _Alignas(RING_LINE) struct ring_producer producer;
    _Alignas(RING_LINE) struct ring_consumer consumer;
    uint32_t batch_max;
    uint32_t worth_taking;
    uint32_t looks;
};

static void *create(uint32_t capacity)
{
    struct ring_queue *queue = NULL;
    void *storage = NULL;
    size_t size = ring_storage_size(capacity, sizeof(struct message));
    if (size == 0 || posix_memalign((void **)&queue, RING_LINE, sizeof *queue) != 0 ||
        posix_memalign(&storage, 4096, size) != 0 ||
        ring_format(storage, size, capacity, sizeof(struct message), 0) != 0) {
        bench_die("no ring of %u messages", capacity);
    }
    *queue = (struct ring_queue){.batch_max = capacity / 4, .worth_taking = capacity / 8};
    ring_producer_init(&queue->producer, storage);
    ring_consumer_init(&queue->consumer, storage);
    return queue;
}

QUEUE_INLINE bool push(void *user, uint64_t number)
{
    struct ring_queue *queue = user;
    struct message *slot = ring_reserve(&queue->producer);
    if (slot == NULL) {
        return false;
    }
    message_fill(slot, number);
    ring_publish(&queue->producer);
    return true;
}

QUEUE_INLINE uint32_t take(void *user, uint64_t *sum)
{
    struct ring_queue *queue = user;
    uint32_t waiting = ring_waiting(&queue->consumer);
    if (waiting < queue->worth_taking && queue->looks++ < LOOKS_MAX) {
        return 0;
    }
    queue->looks = 0;
    uint32_t batch = waiting < queue->batch_max ? waiting : queue->batch_max;
    for (uint32_t i = 0; i < batch; i++) {
        *sum += message_sum(ring_at(&queue->consumer, i));
    }
    ring_release(&queue->consumer, batch);
    return batch;
}

QUEUE_INLINE bool take_one(void *user, uint64_t *first_word)
{
    struct ring_queue *queue = user;
    if (ring_waiting(&queue->consumer) == 0) {
        return false;
    }
    const struct message *message = ring_at(&queue->consumer, 0);
    *first_word = message->words[0];
    ring_release(&queue->consumer, 1);
    return true;
}

static const struct queue_functions functions = {create, push, take, take_one};

#define CASE_NAME_OF(bytes) ring_case_##bytes
#define CASE_NAME(bytes)    CASE_NAME_OF(bytes)

QUEUE_CASE(CASE_NAME(MESSAGE_BYTES));
