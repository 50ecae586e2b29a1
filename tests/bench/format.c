#include "format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

static char buffer[BUFFER_SIZE];

static void flush(int fd, size_t size)
{
    if (fd >= 0 && write(fd, buffer, size) != (ssize_t)size) {
        bench_die("write: %s", strerror(errno));
    }
}

static double rows_per_us(const struct format_case *c, uint64_t count, int fd)
{
    size_t used = 0;
    int64_t begin_ns = bench_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        used += c->format(buffer + used, i % BENCH_ROWS);
        if (used > BUFFER_SIZE - BENCH_ROW_MAX) {
            flush(fd, used);
            used = 0;
        }
    }
    flush(fd, used);
    return (double)count * 1e3 / (double)(bench_now_ns() - begin_ns);
}

static void print_bytes(const struct format_case *c)
{
    uint64_t hash = BENCH_HASH;
    size_t bytes = 0;
    for (size_t i = 0; i < BENCH_ROWS; i++) {
        size_t length = c->format(buffer, i);
        hash = bench_hash(hash, buffer, length);
        bytes += length;
    }
    bench_print("row_bytes", (double)bytes / BENCH_ROWS);
    bench_print_hash(hash);
}

int format_main(const struct format_case *cases, size_t case_count, int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < case_count; i++) {
        if (strcmp(argv[0], cases[i].name) != 0) {
            continue;
        }
        uint64_t count = bench_parse("COUNT", argv[1]);
        int fd = -1;
        if (argc > 2) {
            fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            if (fd < 0) {
                bench_die("%s: %s", argv[2], strerror(errno));
            }
        }
        bench_rows();
        bench_pin(1);
        print_bytes(&cases[i]);
        bench_print("rate", rows_per_us(&cases[i], count, fd));
        return 0;
    }
    fprintf(stderr, "bench: error: want NAME COUNT [FILE], NAME one of:");
    for (size_t i = 0; i < case_count; i++) {
        fprintf(stderr, " %s", cases[i].name);
    }
    fputc('\n', stderr);
    return 2;
}
