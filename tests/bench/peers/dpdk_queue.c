/*
 * DPDK's rte_ring, single producer and consumer, elements by value: one in, TAKE (1 or 32) out.
 * -DLOOK_AGAIN: with the patience that our ring's consumer has when little is there.
 *
 * Only its headers: everything on the path is inline there, and the fields that rte_ring_init
 * would set are public.
 */
#include "peer.h"

#include <rte_ring.h>

#include <stdlib.h>
#include <string.h>

#ifndef TAKE
#define TAKE 1
#endif

static void *create(uint32_t capacity)
{
    size_t size = sizeof(struct rte_ring) + (size_t)capacity * sizeof(struct message);
    struct rte_ring *ring = aligned_alloc(128, (size + 127) / 128 * 128);
    if (ring == NULL) {
        bench_die("no memory");
    }
    memset(ring, 0, size);
    ring->size = capacity;
    ring->mask = capacity - 1;
    ring->capacity = capacity - 1;
    ring->prod.sync_type = RTE_RING_SYNC_ST;
    ring->cons.sync_type = RTE_RING_SYNC_ST;
    return ring;
}

QUEUE_INLINE bool push(void *user, uint64_t number)
{
    struct message message;
    message_fill(&message, number);
    return rte_ring_sp_enqueue_elem(user, &message, sizeof message) == 0;
}

QUEUE_INLINE uint32_t take(void *user, uint64_t *sum)
{
#ifdef LOOK_AGAIN
    static uint32_t looks; // of the one consumer there is
    if (rte_ring_count(user) < rte_ring_get_size(user) / 8 && looks++ < 16) {
        return 0;
    }
    looks = 0;
#endif
    struct message messages[TAKE];
    uint32_t n = rte_ring_sc_dequeue_burst_elem(user, messages, sizeof messages[0], TAKE, NULL);
    for (uint32_t i = 0; i < n; i++) {
        *sum += message_sum(&messages[i]);
    }
    return n;
}

QUEUE_INLINE bool take_one(void *user, uint64_t *first_word)
{
    struct message message;
    bool got = rte_ring_sc_dequeue_elem(user, &message, sizeof message) == 0;
    *first_word = message.words[0];
    return got;
}

static const struct queue_functions functions = {create, push, take, take_one};

QUEUE_CASE(PEER_CASE);
