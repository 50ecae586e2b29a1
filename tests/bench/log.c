#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURST         20
#define BURST_WAIT_NS 200000
/* So few that they stay in the cache: whoever logs has what it logs at hand. */
#define HOT_ROWS 64

static void finish(const struct log_case *c)
{
    size_t skip = 0;
    const char *file = c->stop(&skip);
    bench_print_hash(bench_hash_file(file, skip));
}

static void measure_throughput(const struct log_case *c, uint64_t count)
{
    int64_t begin_ns = bench_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        c->put(i % BENCH_ROWS);
    }
    c->flush();
    bench_print("rate", (double)count * 1e3 / (double)(bench_now_ns() - begin_ns));
    finish(c);
}

// Bursts, so that the back end sleeps, wakes and catches up again and again; the waits between
// are spent awake, so that no wake-up of this core is in the figures.
static void measure_latency(const struct log_case *c, uint64_t count)
{
    double *spans_ns = calloc(count, sizeof *spans_ns);
    double ns_per_tick = bench_ns_per_tick();
    if (spans_ns == NULL) {
        bench_die("no memory");
    }
    memset(spans_ns, 1, count * sizeof *spans_ns); // no page faults between the calls
    for (uint64_t i = 0; i < count; i++) {
        if (i % BURST == 0) {
            int64_t until_ns = bench_now_ns() + BURST_WAIT_NS;
            while (bench_now_ns() < until_ns) {
            }
        }
        uint64_t from = bench_ticks();
        c->put(i % HOT_ROWS);
        spans_ns[i] = (double)(bench_ticks() - from) * ns_per_tick;
    }
    c->flush();
    bench_print_percentiles(spans_ns, count);
    free(spans_ns);
    finish(c);
}

int log_main(const struct log_case *cases, size_t case_count, int argc, char **argv)
{
    for (size_t i = 0; argc >= 4 && i < case_count; i++) {
        if (strcmp(argv[0], cases[i].name) != 0) {
            continue;
        }
        uint64_t count = bench_parse("COUNT", argv[2]);
        bench_rows();
        bench_pin(0);
        cases[i].start(argv[3]);
        if (strcmp(argv[1], "lat") == 0) {
            measure_latency(&cases[i], count);
        } else {
            measure_throughput(&cases[i], count);
        }
        return 0;
    }
    fprintf(stderr, "bench: error: want NAME thr|lat COUNT PATH, NAME one of:");
    for (size_t i = 0; i < case_count; i++) {
        fprintf(stderr, " %s", cases[i].name);
    }
    fputc('\n', stderr);
    return 2;
}
