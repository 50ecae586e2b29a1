/*
 * What one writes without thinking: an array, a mutex and two condition variables.
 */
#include "peer.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    pthread_cond_t freed;
    uint32_t head;
    uint32_t count;
    uint32_t capacity;
    struct message slots[];
};

static void *create(uint32_t capacity)
{
    struct queue *queue = calloc(1, sizeof *queue + capacity * sizeof(struct message));
    if (queue == NULL) {
        bench_die("no memory");
    }
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->filled, NULL);
    pthread_cond_init(&queue->freed, NULL);
    queue->capacity = capacity;
    return queue;
}

static bool push(void *user, uint64_t number)
{
    struct queue *queue = user;
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == queue->capacity) {
        pthread_cond_wait(&queue->freed, &queue->mutex);
    }
    message_fill(&queue->slots[(queue->head + queue->count++) % queue->capacity], number);
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->mutex);
    return true;
}

static void pop(struct queue *queue, struct message *message)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0) {
        pthread_cond_wait(&queue->filled, &queue->mutex);
    }
    *message = queue->slots[queue->head];
    queue->head = (queue->head + 1) % queue->capacity;
    queue->count--;
    pthread_cond_signal(&queue->freed);
    pthread_mutex_unlock(&queue->mutex);
}

static uint32_t take(void *user, uint64_t *sum)
{
    struct message message;
    pop(user, &message);
    *sum += message_sum(&message);
    return 1;
}

static bool take_one(void *user, uint64_t *first_word)
{
    struct message message;
    pop(user, &message);
    *first_word = message.words[0];
    return true;
}

static const struct queue_functions functions = {create, push, take, take_one};

QUEUE_CASE(PEER_CASE);
