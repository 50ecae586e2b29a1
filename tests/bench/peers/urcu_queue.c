/*
 * Userspace RCU's wait-free queue (wfcqueue). It links nodes that the caller owns and has no
 * capacity: two of them, one with free nodes and one with full ones, make the bounded queue that
 * the others are.
 */
#include "peer.h"

#define _LGPL_SOURCE /* inline */
#include <urcu/wfcqueue.h>

#include <stdlib.h>

struct node {
    struct cds_wfcq_node link;
    struct message message;
};

struct end {
    _Alignas(128) struct cds_wfcq_head head;
    _Alignas(128) struct cds_wfcq_tail tail;
};

struct queue {
    struct end full;
    struct end unused;
};

static void *create(uint32_t capacity)
{
    struct queue *queue = aligned_alloc(128, sizeof *queue);
    struct node *nodes = calloc(capacity, sizeof *nodes);
    if (queue == NULL || nodes == NULL) {
        bench_die("no memory");
    }
    cds_wfcq_init(&queue->full.head, &queue->full.tail);
    cds_wfcq_init(&queue->unused.head, &queue->unused.tail);
    for (uint32_t i = 0; i < capacity; i++) {
        cds_wfcq_node_init(&nodes[i].link);
        cds_wfcq_enqueue(&queue->unused.head, &queue->unused.tail, &nodes[i].link);
    }
    return queue;
}

QUEUE_INLINE struct node *dequeue(struct end *end)
{
    struct cds_wfcq_node *link = __cds_wfcq_dequeue_nonblocking(&end->head, &end->tail);
    return link == NULL || link == CDS_WFCQ_WOULDBLOCK ? NULL
                                                       : caa_container_of(link, struct node, link);
}

QUEUE_INLINE void enqueue(struct end *end, struct node *node)
{
    cds_wfcq_node_init(&node->link);
    cds_wfcq_enqueue(&end->head, &end->tail, &node->link);
}

QUEUE_INLINE bool push(void *user, uint64_t number)
{
    struct queue *queue = user;
    struct node *node = dequeue(&queue->unused);
    if (node == NULL) {
        return false;
    }
    message_fill(&node->message, number);
    enqueue(&queue->full, node);
    return true;
}

QUEUE_INLINE uint32_t take(void *user, uint64_t *sum)
{
    struct queue *queue = user;
    struct node *node = dequeue(&queue->full);
    if (node == NULL) {
        return 0;
    }
    *sum += message_sum(&node->message);
    enqueue(&queue->unused, node);
    return 1;
}

QUEUE_INLINE bool take_one(void *user, uint64_t *first_word)
{
    struct queue *queue = user;
    struct node *node = dequeue(&queue->full);
    if (node == NULL) {
        return false;
    }
    *first_word = node->message.words[0];
    enqueue(&queue->unused, node);
    return true;
}

static const struct queue_functions functions = {create, push, take, take_one};

QUEUE_CASE(PEER_CASE);
