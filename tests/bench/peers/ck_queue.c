/*
 * Concurrency Kit's ck_ring, single producer and consumer, messages by value.
 */
#include "peer.h"

#include <ck_ring.h>

#include <stdlib.h>

CK_RING_PROTOTYPE(message, message)

struct queue {
    _Alignas(128) ck_ring_t ring;
    _Alignas(128) struct message *slots;
};

static void *create(uint32_t capacity)
{
    struct queue *queue = aligned_alloc(128, sizeof *queue);
    struct message *slots = aligned_alloc(128, (size_t)capacity * 256);
    if (queue == NULL || slots == NULL) {
        bench_die("no memory");
    }
    ck_ring_init(&queue->ring, capacity);
    queue->slots = slots;
    return queue;
}

QUEUE_INLINE bool push(void *user, uint64_t number)
{
    struct queue *queue = user;
    struct message message;
    message_fill(&message, number);
    return CK_RING_ENQUEUE_SPSC(message, &queue->ring, queue->slots, &message);
}

QUEUE_INLINE uint32_t take(void *user, uint64_t *sum)
{
    struct queue *queue = user;
    struct message message;
    if (!CK_RING_DEQUEUE_SPSC(message, &queue->ring, queue->slots, &message)) {
        return 0;
    }
    *sum += message_sum(&message);
    return 1;
}

QUEUE_INLINE bool take_one(void *user, uint64_t *first_word)
{
    struct queue *queue = user;
    struct message message;
    bool got = CK_RING_DEQUEUE_SPSC(message, &queue->ring, queue->slots, &message);
    *first_word = message.words[0];
    return got;
}

static const struct queue_functions functions = {create, push, take, take_one};

QUEUE_CASE(PEER_CASE);
