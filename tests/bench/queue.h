/*
 * The one measurement of a queue, for ours and every peer: a producer on one core fills every word
 * of each message, a consumer on another reads and sums every word, and the sum is checked.
 *
 * The loops are always inlined, so a case's own functions are, too: nothing is called through a
 * pointer. A case file is compiled once per message size, with -DMESSAGE_BYTES=n.
 */
#ifndef BENCH_QUEUE_H
#define BENCH_QUEUE_H

#include "bench.h"

#include <stdbool.h>

#ifndef MESSAGE_BYTES
#define MESSAGE_BYTES 64
#endif

#define MESSAGE_WORDS (MESSAGE_BYTES / 8)

struct message {
    uint64_t words[MESSAGE_WORDS];
};

#define QUEUE_INLINE static inline __attribute__((always_inline))

/* A capacity of the echo's two queues, as everywhere else. */
#define QUEUE_ECHO_CAPACITY 1024

struct queue_functions {
    void *(*create)(uint32_t capacity);
    /* Puts message NUMBER in; false when full. */
    bool (*push)(void *queue, uint64_t number);
    /* Takes one message or many and adds every word to *SUM; returns how many, 0 when there is
     * nothing to take yet. */
    uint32_t (*take)(void *queue, uint64_t *sum);
    /* Takes exactly one; false when empty. */
    bool (*take_one)(void *queue, uint64_t *first_word);
};

struct queue_run {
    uint64_t count;
    uint32_t capacity;
    uint32_t backoff; /* limit of the consumer's and the producer's back-off, 0 = poll hard */
    struct bench_start start;
    void *there;
    void *back;
    uint64_t sum;
    int64_t begin_ns;
    int64_t end_ns;
};

/* Every word differs, and all depend on the number. */
QUEUE_INLINE void message_fill(struct message *message, uint64_t number)
{
    for (uint64_t i = 0; i < MESSAGE_WORDS; i++) {
        message->words[i] = number * 3 + i;
    }
}

QUEUE_INLINE uint64_t message_sum(const struct message *message)
{
    uint64_t sum = 0;
    for (int i = 0; i < MESSAGE_WORDS; i++) {
        sum += message->words[i];
    }
    return sum;
}

QUEUE_INLINE void queue_produce(const struct queue_functions *f, struct queue_run *run)
{
    void *const there = run->there;
    const uint64_t count = run->count;
    struct bench_backoff backoff = {run->backoff, 0};
    bench_meet(&run->start);
    run->begin_ns = bench_now_ns();
    for (uint64_t number = 0; number < count; number++) {
        while (!f->push(there, number)) {
            bench_back_off(&backoff);
        }
        bench_back_on(&backoff);
    }
}

QUEUE_INLINE void queue_consume(const struct queue_functions *f, struct queue_run *run)
{
    void *const there = run->there;
    const uint64_t count = run->count;
    struct bench_backoff backoff = {run->backoff, 0};
    uint64_t sum = 0;
    bench_meet(&run->start);
    for (uint64_t taken = 0; taken < count;) {
        uint32_t n = f->take(there, &sum);
        taken += n;
        if (n == 0) {
            bench_back_off(&backoff);
        } else {
            bench_back_on(&backoff);
        }
    }
    run->end_ns = bench_now_ns();
    run->sum = sum;
}

QUEUE_INLINE void queue_call(const struct queue_functions *f, struct queue_run *run)
{
    // Copies, here and below: a write to RUN's line by one thread would cost the other a miss.
    void *const there = run->there;
    void *const back = run->back;
    const uint64_t count = run->count;
    uint64_t sum = 0;
    bench_meet(&run->start);
    int64_t begin_ns = bench_now_ns();
    for (uint64_t number = 0; number < count; number++) {
        uint64_t answer;
        while (!f->push(there, number)) {
        }
        while (!f->take_one(back, &answer)) {
        }
        sum += answer;
    }
    run->end_ns = bench_now_ns();
    run->begin_ns = begin_ns;
    run->sum = sum;
}

QUEUE_INLINE void queue_echo(const struct queue_functions *f, struct queue_run *run)
{
    void *const there = run->there;
    void *const back = run->back;
    const uint64_t count = run->count;
    bench_meet(&run->start);
    for (uint64_t number = 0; number < count; number++) {
        uint64_t word;
        while (!f->take_one(there, &word)) {
        }
        while (!f->push(back, word / 3)) {
        }
    }
}

/* One size of one queue, ready to run: what a case file exports. */
struct queue_case {
    uint32_t message_bytes;
    void *(*create)(uint32_t capacity);
    void (*produce)(void *run);
    void *(*consume)(void *run);
    void (*call)(void *run);
    void *(*echo)(void *run);
};

/* Defines the case NAME out of `static const struct queue_functions functions`. */
#define QUEUE_CASE(NAME)                                                                           \
    static void run_produce(void *run)                                                             \
    {                                                                                              \
        queue_produce(&functions, (struct queue_run *)run);                                        \
    }                                                                                              \
    static void *run_consume(void *run)                                                            \
    {                                                                                              \
        queue_consume(&functions, (struct queue_run *)run);                                        \
        return NULL;                                                                               \
    }                                                                                              \
    static void run_call(void *run)                                                                \
    {                                                                                              \
        queue_call(&functions, (struct queue_run *)run);                                           \
    }                                                                                              \
    static void *run_echo(void *run)                                                               \
    {                                                                                              \
        queue_echo(&functions, (struct queue_run *)run);                                           \
        return NULL;                                                                               \
    }                                                                                              \
    extern const struct queue_case NAME;                                                           \
    const struct queue_case NAME = {MESSAGE_BYTES, functions.create, run_produce,                  \
                                    run_consume,   run_call,         run_echo}

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ARGS: BYTES CAPACITY thr|rtt COUNT [BACKOFF]. Prints "rate" in M messages/s, or "rtt" in ns.
 * Returns the exit code.
 */
int queue_main(const struct queue_case *const *cases, size_t case_count, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
