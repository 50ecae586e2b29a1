#include "queue.h"

#include <stdio.h>
#include <string.h>

static const char usage[] = "BYTES CAPACITY thr|rtt COUNT [BACKOFF]";

// What all words of all messages come to.
static uint64_t expected_sum(uint64_t count, uint64_t words)
{
    uint64_t numbers = count % 2 == 0 ? count / 2 * (count - 1) : (count - 1) / 2 * count;
    return 3 * numbers * words + count * (words * (words - 1) / 2);
}

static int check_sum(uint64_t got, uint64_t expected)
{
    if (got != expected) {
        fprintf(stderr,
                "bench: error: a message was lost, repeated or torn (sum %llu, want %llu)\n",
                (unsigned long long)got, (unsigned long long)expected);
        return 1;
    }
    return 0;
}

static int measure_throughput(const struct queue_case *queue, struct queue_run *run)
{
    run->there = queue->create(run->capacity);
    bench_two_threads(queue->consume, queue->produce, run);
    bench_print("rate", (double)run->count * 1e3 / (double)(run->end_ns - run->begin_ns));
    return check_sum(run->sum, expected_sum(run->count, queue->message_bytes / 8));
}

static int measure_round_trip(const struct queue_case *queue, struct queue_run *run)
{
    run->there = queue->create(QUEUE_ECHO_CAPACITY);
    run->back = queue->create(QUEUE_ECHO_CAPACITY);
    bench_two_threads(queue->echo, queue->call, run);
    bench_print("rtt", (double)(run->end_ns - run->begin_ns) / (double)run->count);
    return check_sum(run->sum, expected_sum(run->count, 1));
}

int queue_main(const struct queue_case *const *cases, size_t case_count, int argc, char **argv)
{
    if (argc < 4) {
        bench_die("want: %s", usage);
    }
    uint64_t bytes = bench_parse("BYTES", argv[0]);
    struct queue_run run = {
        .count = bench_parse("COUNT", argv[3]),
        .capacity = (uint32_t)bench_parse("CAPACITY", argv[1]),
        .backoff = argc > 4 ? (uint32_t)bench_parse("BACKOFF", argv[4]) : 0,
    };
    for (size_t i = 0; i < case_count; i++) {
        if (cases[i]->message_bytes == bytes) {
            return strcmp(argv[2], "rtt") == 0 ? measure_round_trip(cases[i], &run)
                                               : measure_throughput(cases[i], &run);
        }
    }
    bench_die("no case of %llu bytes", (unsigned long long)bytes);
}
