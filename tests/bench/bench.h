/*
 * What every bench program needs, ours and the peers': the clock, the cores, a common start, the
 * same rows for all formatters and loggers, and one way to print a result.
 *
 * C and C++; no product header, so that a peer links nothing of ours. A result is one line
 * "key value" on stdout; tools/bench.sh collects them.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Says what is wrong on stderr and exits with 2. */
__attribute__((format(printf, 1, 2), noreturn)) void bench_die(const char *format, ...);

/* A positive whole number, or the program ends with a message that names WHAT. */
uint64_t bench_parse(const char *what, const char *text);

/* CLOCK_MONOTONIC. */
int64_t bench_now_ns(void);

/* The cheapest counter the processor has, and its length. The first call to the latter takes 50 ms.
 */
uint64_t bench_ticks(void);
double bench_ns_per_tick(void);

/* Keeps the calling thread on one of the cores it may use: the Nth of them, 0 or 1. */
void bench_pin(int n);

/*
 * Two threads wait for each other; the one that arrives first yields. A thread that was just
 * started still shares its starter's core: whoever spins before they met, starves it.
 */
struct bench_start {
    int arrived;
};
void bench_meet(struct bench_start *start);

/* Starts RUN(ARGUMENT) in a thread on the second core, runs FRONT(ARGUMENT) here on the first. */
void bench_two_threads(void *(*run)(void *), void (*front)(void *), void *argument);

static inline void bench_pause(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield" ::: "memory");
#endif
}

/* Exponential back-off of a polling thread: 8, 16 .. LIMIT pauses; LIMIT 0 = polls hard. */
struct bench_backoff {
    uint32_t limit;
    uint32_t next;
};

static inline void bench_back_off(struct bench_backoff *backoff)
{
    for (uint32_t i = 0; i < backoff->next; i++) {
        bench_pause();
    }
    uint32_t twice = backoff->next < 8 ? 8 : backoff->next * 2;
    backoff->next = twice < backoff->limit ? twice : backoff->limit;
}

static inline void bench_back_on(struct bench_backoff *backoff)
{
    backoff->next = 0;
}

/* xorshift64. */
uint64_t bench_random(uint64_t *state);

/*
 * What all formatters and loggers write. The five columns are the first group; diff_s is diff_ns
 * for those that want a double. The second group completes our own nineteen.
 */
struct bench_row {
    int64_t elapsed_us;
    int64_t elapsed_wall_us;
    int64_t wall_us;
    int64_t diff_ns;
    double diff_s;
    const char *status;
    int status_number; /* 0 Normal, 1 Insert second, 2 Delete second, 3 Not synchronised */

    uint64_t seq;
    int64_t elapsed_raw_ns;
    uint32_t window_ns;
    int64_t ref_age_ms;
    int64_t last_offset_ns;
    int64_t freq_ppt;
    int64_t root_delay_ns;
    int64_t root_dispersion_ns;
    int64_t error_bound_ns;
};

#define BENCH_BOOT_ID 0x0a2b3c4du
#define BENCH_STRATUM 3u

#define BENCH_ROWS 4096 /* a power of two */

/* BENCH_ROWS different rows, the same in every program. */
const struct bench_row *bench_rows(void);

/* No row text is longer. */
#define BENCH_ROW_MAX 512

/* FNV-1a, 64 bits, so that equal bytes can be told; begin with BENCH_HASH. */
#define BENCH_HASH UINT64_C(14695981039346656037)
uint64_t bench_hash(uint64_t hash, const void *data, size_t size);

/* The same over a file, without its first SKIP bytes. */
uint64_t bench_hash_file(const char *path, size_t skip);

void bench_print(const char *key, double value);
void bench_print_hash(uint64_t hash);

/* Sorts VALUES and prints p50, p99, p999, p9999 and max. */
void bench_print_percentiles(double *values, size_t count);

#ifdef __cplusplus
}
#endif

#endif
