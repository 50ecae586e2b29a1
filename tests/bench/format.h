/*
 * The one measurement of a row formatter, for ours and every peer: rows of a table that fits the
 * second-level cache into a buffer of 64 KiB, which is started again, or written to a file, when
 * it is full.
 */
#ifndef BENCH_FORMAT_H
#define BENCH_FORMAT_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

struct format_case {
    const char *name;
    /* Writes row I, I below BENCH_ROWS, with its LF; returns the length. */
    size_t (*format)(char *out, size_t i);
};

/*
 * ARGS: NAME COUNT [FILE]. Prints "rate" in M rows/s, "row_bytes" and the hash of the first
 * BENCH_ROWS rows. Returns the exit code.
 */
int format_main(const struct format_case *cases, size_t case_count, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
