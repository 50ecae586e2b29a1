/*
 * The one measurement of a logger, for ours and every peer: rows go in on one core as fast as they
 * can, and the clock stops when the last byte was handed to the kernel; or in bursts, and the time
 * of each call is what counts.
 */
#ifndef BENCH_LOG_H
#define BENCH_LOG_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

struct log_case {
    const char *name;
    /* Begins to log into FILE or, ours, into a directory of that name. */
    void (*start)(const char *path);
    /* Logs row I, I below BENCH_ROWS; waits when the logger is full. */
    void (*put)(size_t i);
    /* All rows are in the file, as write(2) knows it; nothing waits in memory. */
    void (*flush)(void);
    /* Ends, and says which file it was and how many bytes at its start are no rows. */
    const char *(*stop)(size_t *skip);
};

/*
 * ARGS: NAME thr|lat COUNT PATH. thr prints "rate" in M rows/s; lat prints the percentiles of one
 * call in ns, measuring it included. Both print the hash of the file. Returns the exit code.
 */
int log_main(const struct log_case *cases, size_t case_count, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
