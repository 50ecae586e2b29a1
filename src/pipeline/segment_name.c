#include "pipeline/segment_name.h"

#include "core/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_MAX (2 * CSV_ROW_MAX)

// Reads the key of the row of LEN bytes at ROW, LF included. False when it is none of ours.
static bool read_key(const char *row, size_t len, struct csv_key *key)
{
    return len > 0 && row[len - 1] == '\n' && csv_parse_key(row, len - 1, key) == 0;
}

static bool first_key(int fd, struct csv_key *key)
{
    char window[WINDOW_MAX];
    ssize_t got = pread(fd, window, sizeof window, (off_t)strlen(csv_header));
    const char *end = got > 0 ? memchr(window, '\n', (size_t)got) : NULL;
    return end != NULL && read_key(window, (size_t)(end - window) + 1, key);
}

static bool last_key(int fd, uint64_t size, struct csv_key *key)
{
    char window[WINDOW_MAX];
    uint64_t start = size > sizeof window ? size - sizeof window : 0;
    ssize_t got = pread(fd, window, (size_t)(size - start), (off_t)start);
    if (got < 2) {
        return false;
    }
    const char *before = memrchr(window, '\n', (size_t)got - 1);
    const char *row = before != NULL ? before + 1 : window;
    return read_key(row, (size_t)(window + got - row), key);
}

void segment_name(int fd, const struct spool_segment *segment, char *out)
{
    struct csv_key first;
    struct csv_key last;
    if (first_key(fd, &first) && last_key(fd, segment->size, &last)) {
        snprintf(out, SEGMENT_NAME_MAX, "time_log-%08" PRIx32 "-%010" PRIu64 "-%010" PRIu64 ".csv",
                 first.boot_id, first.seq, last.seq);
    } else {
        snprintf(out, SEGMENT_NAME_MAX, "time_log-%s", segment->name);
    }
}
