#include "bench.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEED UINT64_C(88172645463325252)

void bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench: error: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

uint64_t bench_parse(const char *what, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-') {
        bench_die("%s is '%s': want a whole number from 0", what, text);
    }
    return value;
}

int64_t bench_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t bench_ticks(void)
{
#if defined __x86_64__ || defined __i386__
    uint32_t low;
    uint32_t high;
    // rdtscp waits for the instructions before it, so that they are inside the measured span.
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high)::"ecx", "memory");
    return (uint64_t)high << 32 | low;
#elif defined __aarch64__
    uint64_t ticks;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
#else
    return (uint64_t)bench_now_ns();
#endif
}

double bench_ns_per_tick(void)
{
    static double ns_per_tick;
    if (ns_per_tick == 0) {
        int64_t from_ns = bench_now_ns();
        uint64_t from = bench_ticks();
        while (bench_now_ns() - from_ns < 50000000) {
        }
        int64_t span_ns = bench_now_ns() - from_ns;
        ns_per_tick = (double)span_ns / (double)(bench_ticks() - from);
    }
    return ns_per_tick;
}

void bench_pin(int n)
{
    static cpu_set_t allowed;
    static int count;
    if (count == 0) {
        sched_getaffinity(0, sizeof allowed, &allowed);
        count = CPU_COUNT(&allowed);
    }
    if (n >= count) {
        bench_die("this needs %d cores and may use %d", n + 1, count);
    }
    size_t core = 0;
    for (int left = n; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &allowed) && left-- == 0) {
            break;
        }
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) {
        bench_die("core %zu: %s", core, strerror(errno));
    }
}

void bench_meet(struct bench_start *start)
{
    __atomic_add_fetch(&start->arrived, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&start->arrived, __ATOMIC_ACQUIRE) % 2 != 0) {
        sched_yield();
    }
}

struct back_thread {
    void *(*run)(void *);
    void *argument;
};

static void *run_on_second_core(void *user)
{
    struct back_thread *back = user;
    bench_pin(1);
    return back->run(back->argument);
}

void bench_two_threads(void *(*run)(void *), void (*front)(void *), void *argument)
{
    pthread_t thread;
    struct back_thread back = {run, argument};
    bench_pin(0);
    int error = pthread_create(&thread, NULL, run_on_second_core, &back);
    if (error != 0) {
        bench_die("no thread: %s", strerror(error));
    }
    front(argument);
    pthread_join(thread, NULL);
}

uint64_t bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// A camera's day: a second long periods, offsets of some 10 us either way, now and then a status.
static void fill_row(struct bench_row *row, uint64_t *random, int64_t wall_us)
{
    static const char *const statuses[] = {"Normal", "Insert second", "Delete second",
                                           "Not synchronised"};
    uint64_t bits = bench_random(random);
    row->elapsed_us = 1000000 + (int64_t)(bits & 127) - 40;
    row->elapsed_wall_us = row->elapsed_us + (int64_t)(bits >> 8 & 63) - 32;
    row->wall_us = wall_us + row->elapsed_wall_us;
    row->diff_ns = (int64_t)(bits >> 16 & 0x1ffff) - 0x10000;
    row->diff_s = (double)row->diff_ns / 1e9;
    row->status_number = (bits >> 40 & 255) != 0 ? 0 : 1 + (int)((bits >> 48) % 3);
    row->status = statuses[row->status_number];

    bits = bench_random(random);
    row->elapsed_raw_ns = row->elapsed_us * 1000 + (int64_t)(bits & 1023);
    row->window_ns = 60 + (uint32_t)(bits >> 10 & 63);
    row->ref_age_ms = (int64_t)(bits >> 16 & 0xffff);
    row->last_offset_ns = (int64_t)(bits >> 32 & 0xffff) - 0x8000;
    row->freq_ppt = -12345678 + (int64_t)(bits >> 20 & 0xfff);
    row->root_delay_ns = 1234567 + (int64_t)(bits >> 24 & 0xfffff);
    row->root_dispersion_ns = 45678 + (int64_t)(bits >> 44 & 0xffff);
    row->error_bound_ns = llabs(row->diff_ns) + row->root_dispersion_ns + row->root_delay_ns / 2;
}

const struct bench_row *bench_rows(void)
{
    static struct bench_row rows[BENCH_ROWS];
    if (rows[0].status == NULL) {
        uint64_t random = SEED;
        int64_t wall_us = INT64_C(1720123456789012);
        for (int i = 0; i < BENCH_ROWS; i++) {
            fill_row(&rows[i], &random, wall_us);
            rows[i].seq = (uint64_t)i + 1;
            wall_us = rows[i].wall_us;
        }
    }
    return rows;
}

uint64_t bench_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

uint64_t bench_hash_file(const char *path, size_t skip)
{
    static char buffer[65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, (long)skip, SEEK_SET) != 0) {
        bench_die("%s: %s", path, strerror(errno));
    }
    uint64_t hash = BENCH_HASH;
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;) {
        hash = bench_hash(hash, buffer, n);
    }
    fclose(file);
    return hash;
}

void bench_print(const char *key, double value)
{
    printf("%s %.6g\n", key, value);
}

void bench_print_hash(uint64_t hash)
{
    printf("hash %016" PRIx64 "\n", hash);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

void bench_print_percentiles(double *values, size_t count)
{
    static const struct {
        const char *key;
        double part;
    } points[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}, {"max", 1}};
    if (count == 0) {
        bench_die("nothing was measured: COUNT is 0");
    }
    qsort(values, count, sizeof *values, compare_doubles);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        size_t at = (size_t)((double)(count - 1) * points[i].part);
        bench_print(points[i].key, values[at]);
    }
}
