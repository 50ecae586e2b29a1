/*
 * What the product's own reading of the clocks costs and how wide its brackets are, back to back
 * and right after a sleep, as a tick finds the processor.
 */
#include "bench.h"
#include "modes.h"

#include "core/clocks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COLD_SLEEP_NS 5000000

int mode_clock(int argc, char **argv)
{
    uint64_t count = bench_parse("COUNT", argv[1]);
    bool cold = strcmp(argv[0], "cold") == 0;
    double *windows_ns = calloc(count, sizeof *windows_ns);
    if (windows_ns == NULL || argc < 2) {
        bench_die("no memory");
    }
    int64_t spent_ns = 0;
    bench_pin(0);
    for (uint64_t i = 0; i < count; i++) {
        if (cold) {
            nanosleep(&(struct timespec){.tv_nsec = COLD_SLEEP_NS}, NULL);
        }
        int64_t begin_ns = bench_now_ns();
        windows_ns[i] = clocks_read().window_ns;
        spent_ns += bench_now_ns() - begin_ns;
    }
    bench_print("cost_ns", (double)spent_ns / (double)count);
    bench_print_percentiles(windows_ns, count);
    free(windows_ns);
    return 0;
}
