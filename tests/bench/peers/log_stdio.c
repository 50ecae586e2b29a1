/*
 * fprintf with a buffer of 64 KiB, in the caller's thread.
 */
#include "log.h"

#include <inttypes.h>
#include <stdio.h>

static FILE *file;
static const char *file_path;

static void start(const char *path)
{
    static char buffer[65536];
    file_path = path;
    file = fopen(path, "w");
    if (file == NULL) {
        bench_die("%s: can not be written", path);
    }
    setvbuf(file, buffer, _IOFBF, sizeof buffer);
}

static void put(size_t i)
{
    const struct bench_row *row = &bench_rows()[i];
    fprintf(file, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%.9f,%s\n", row->elapsed_us,
            row->elapsed_wall_us, row->wall_us, row->diff_s, row->status);
}

static void flush(void)
{
    fflush(file);
}

static const char *stop(size_t *skip)
{
    *skip = 0;
    fclose(file);
    return file_path;
}

int main(int argc, char **argv)
{
    static const struct log_case cases[] = {{"five", start, put, flush, stop}};
    return log_main(cases, 1, argc - 1, argv + 1);
}
