/*
 * usage: offline_week DIR [DAYS]
 *
 * DAYS (default 7) without a server, one row a second, as fast as the spool takes them; then the
 * server is back. The real spool, a writer that commits each 60 rows and seals each hour, and a
 * delivery that takes what it is given. Shown at the end, or exit code 1:
 *
 *   the quota was kept at every commit; what was evicted is exactly what the rows say
 *   the drain is oldest first, and every other row is in it, once, in order
 *   memory is as flat after a week as after the first day
 */
#include "base/nstime.h"
#include "core/csv.h"
#include "pipeline/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT           0x1a2b3c4du
#define ROWS_PER_DAY   86400u
#define BATCH          60u
#define BATCHES_SEALED 60u
#define QUOTA          (UINT64_C(64) << 20)
#define GROWTH_KIB_MAX 64

struct week {
    struct spool *spool;
    uint64_t next_seq;
    uint64_t evicted_below; /* rows below were declared lost */
    int broken;
};

static void require(struct week *week, bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "offline_week: error: %s (row %" PRIu64 ")\n", what, week->next_seq);
        week->broken = 1;
    }
}

// Memory of our own: code that runs for the first time is no growth.
static long anonymous_kib(void)
{
    long kib = -1;
    char line[128];
    FILE *file = fopen("/proc/self/status", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtol(line + 8, NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib;
}

// A row as long as a real one.
static size_t format(char *out, uint64_t seq, const uint64_t *evicted)
{
    struct record record = {
        .seq = seq,
        .boot_id = BOOT,
        .valid = VALID_CLOCK_DIFF | VALID_STRATUM | VALID_REF_AGE | VALID_LAST_OFFSET | VALID_FREQ |
                 VALID_ROOT_DELAY | VALID_ROOT_DISPERSION | VALID_ERROR_BOUND,
        .events = evicted != NULL ? EVENT_EVICTED : 0,
        .read_window_ns = 180,
        .wall_ns = INT64_C(1800000000000000000) + (int64_t)seq * NS_PER_S,
        .elapsed_mono_us = 1000001,
        .elapsed_wall_us = 1000001,
        .elapsed_raw_ns = 1000012345,
        .clock_diff_ns = -51234567,
        .ref_age_ns = 12 * NS_PER_S,
        .last_offset_ns = 12345,
        .freq_ppt = -12345678,
        .root_delay_ns = 1234567,
        .root_dispersion_ns = 2345678,
        .error_bound_ns = 54321000,
        .evicted_first = evicted != NULL ? evicted[0] : 0,
        .evicted_last = evicted != NULL ? evicted[1] : 0,
        .stratum = 3,
        .status = STATUS_NORMAL,
        .sync_state = SYNC_SYNCED,
        .source = SOURCE_CHRONY,
    };
    return csv_format_row(out, &record);
}

static void write_minute(struct week *week)
{
    char rows[BATCH * CSV_ROW_MAX];
    size_t size = 0;
    for (uint64_t i = 0; i < BATCH; i++) {
        uint64_t range[2];
        bool any = spool_take_evicted(week->spool, &range[0], &range[1]);
        if (any) {
            require(week, range[0] == week->evicted_below, "evicted rows are not the oldest");
            week->evicted_below = range[1] + 1;
        }
        size += format(rows + size, week->next_seq + i, any ? range : NULL);
    }
    uint64_t last = week->next_seq + BATCH - 1;
    int error = spool_append(week->spool, rows, size, week->next_seq, last);
    require(week, error == 0 && spool_commit(week->spool) == 0, "the disk failed");
    week->next_seq = last + 1;
    struct spool_stats stats;
    spool_get_stats(week->spool, &stats);
    require(week, stats.sealed_bytes + stats.active_bytes <= QUOTA, "the quota was exceeded");
}

static void read_segment(struct week *week, int fd, uint64_t *expected)
{
    FILE *file = fdopen(fd, "r");
    char line[CSV_ROW_MAX + 1];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        struct csv_key key;
        if (csv_parse_key(line, strlen(line) - 1, &key) == 0) {
            require(week, key.seq == *expected, "a row is missing, doubled or out of order");
            *expected = key.seq + 1;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static unsigned drain(struct week *week)
{
    uint64_t expected = week->evicted_below;
    unsigned segments = 0;
    struct spool_segment segment;
    for (uint64_t after = 0; spool_next_sealed(week->spool, after, &segment); segments++) {
        int fd;
        require(week, segment.number > after, "not oldest first");
        after = segment.number;
        if (spool_open_segment(week->spool, &segment, &fd) != 0) {
            require(week, false, "a segment can not be opened");
            break;
        }
        read_segment(week, fd, &expected);
        require(week, spool_remove(week->spool, &segment) == 0, "a segment can not be deleted");
    }
    require(week, expected == week->next_seq, "the drain ended early");
    return segments;
}

int main(int argc, char **argv)
{
    unsigned days = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 7;
    if (argc < 2 || days == 0) {
        fprintf(stderr, "usage: offline_week DIR [DAYS]\n");
        return 2;
    }
    struct spool_config config = {
        .dir = argv[1], .quota_bytes = QUOTA, .segment_max_bytes = QUOTA / 4, .boot_id = BOOT};
    struct spool_recovery found;
    struct week week = {.evicted_below = 1};
    int error = spool_open(&week.spool, &config, &found);
    if (error != 0) {
        fprintf(stderr, "offline_week: error: %s: %s\n", argv[1], strerror(-error));
        return 2;
    }
    week.next_seq = found.next_seq;
    long first_day_kib = 0;
    for (uint64_t minute = 1; minute <= (uint64_t)days * ROWS_PER_DAY / BATCH; minute++) {
        write_minute(&week);
        if (minute % BATCHES_SEALED == 0) {
            require(&week, spool_seal(week.spool) == 0, "the segment can not be sealed");
        }
        if (minute * BATCH == ROWS_PER_DAY) {
            first_day_kib = anonymous_kib();
        }
    }
    uint64_t rows = week.next_seq - 1;
    // The newest evictions are told by the rows that the drain finds still to come.
    uint64_t range[2];
    while (spool_take_evicted(week.spool, &range[0], &range[1])) {
        week.evicted_below = range[1] + 1;
    }
    struct spool_stats stats;
    spool_get_stats(week.spool, &stats);
    unsigned segments = drain(&week);
    long growth_kib = anonymous_kib() - first_day_kib;
    require(&week, growth_kib < GROWTH_KIB_MAX, "memory has grown");
    spool_close(week.spool);
    printf("RESULT %s offline_week: %u days, %" PRIu64 " rows, %" PRIu64
           " evicted and told, %" PRIu64 " KiB waiting, %u segments drained in order, memory %+ld "
           "KiB since the first day\n",
           week.broken ? "FAILED" : "passed", days, rows, week.evicted_below - 1,
           (stats.sealed_bytes + stats.active_bytes) / 1024, segments, growth_kib);
    return week.broken;
}
