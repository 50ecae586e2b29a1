/*
 * usage: store_driver run DIR BOOT SEED STEPS QUOTA   play writer and uploader on the spool in DIR
 *        store_driver bad KIND DIR BOOT STEPS         a writer with a known fault
 *        store_driver recover DIR BOOT                open and close the spool
 *        store_driver serve                           "DIR BOOT" per line on stdin: recover each
 *
 * For power_cut.py. What is promised goes to RECORD_LOG, in order with what the recorder notes:
 *
 *   A rows <last>             rows up to this seq are durable, says the writer
 *   A told <first> <last>     a durable row says that these were evicted
 *   A stored <first> <last>   in the bucket, before the segment is deleted
 *
 * KINDs: good, no-dir-sync, ack-before-sync, rename-without-sync.
 */
#include "base/nstime.h"
#include "core/csv.h"
#include "pipeline/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice_state >> 33) % sides;
}

static void promise(const char *what, uint64_t first, uint64_t last)
{
    const char *path = getenv("RECORD_LOG");
    int fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (fd >= 0) {
        dprintf(fd, "A %s %" PRIu64 " %" PRIu64 "\n", what, first, last);
        close(fd);
    }
}

static size_t format(char *out, uint32_t boot_id, uint64_t seq, const uint64_t evicted[2])
{
    struct record record = {
        .seq = seq,
        .boot_id = boot_id,
        .wall_ns = INT64_C(1800000000000000000) + (int64_t)seq * NS_PER_S,
        .status = STATUS_NORMAL,
        .events = evicted != NULL ? EVENT_EVICTED : 0,
        .evicted_first = evicted != NULL ? evicted[0] : 0,
        .evicted_last = evicted != NULL ? evicted[1] : 0,
    };
    return csv_format_row(out, &record);
}

/* ---- the real spool ---- */

struct play {
    struct spool *spool;
    uint32_t boot_id;
    uint64_t next_seq;
};

static void append_and_commit(struct play *play, uint64_t count)
{
    char rows[64 * CSV_ROW_MAX];
    uint64_t told[64][2];
    unsigned told_count = 0;
    size_t size = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t *range = told[told_count];
        bool any = spool_take_evicted(play->spool, &range[0], &range[1]);
        size += format(rows + size, play->boot_id, play->next_seq + i, any ? range : NULL);
        told_count += any;
    }
    uint64_t last = play->next_seq + count - 1;
    if (spool_append(play->spool, rows, size, play->next_seq, last) != 0 ||
        spool_commit(play->spool) != 0) {
        fprintf(stderr, "store_driver: error: the disk failed\n");
        exit(1);
    }
    promise("rows", last, last);
    for (unsigned i = 0; i < told_count; i++) {
        promise("told", told[i][0], told[i][1]);
    }
    play->next_seq = last + 1;
}

static void upload_one(struct play *play)
{
    struct spool_segment segment;
    int fd;
    if (!spool_next_sealed(play->spool, 0, &segment) ||
        spool_open_segment(play->spool, &segment, &fd) != 0) {
        return;
    }
    FILE *file = fdopen(fd, "r");
    char line[CSV_ROW_MAX + 1];
    uint64_t first = 0;
    uint64_t last = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        struct csv_key key;
        if (csv_parse_key(line, strlen(line) - 1, &key) == 0 && key.boot_id == play->boot_id) {
            first = first == 0 ? key.seq : first;
            last = key.seq;
        }
    }
    fclose(file);
    if (dice(4) == 0) {
        spool_unpin(play->spool); // the server was not there
        return;
    }
    promise("stored", first, last);
    (void)spool_remove(play->spool, &segment);
}

static int run(const char *dir, uint32_t boot_id, uint64_t seed, unsigned steps, uint64_t quota)
{
    struct spool_config config = {
        .dir = dir, .quota_bytes = quota, .segment_max_bytes = quota / 4, .boot_id = boot_id};
    struct spool_recovery found;
    struct play play = {.boot_id = boot_id};
    dice_state = seed;
    int error = spool_open(&play.spool, &config, &found);
    if (error != 0) {
        fprintf(stderr, "store_driver: error: %s: %s\n", dir, strerror(-error));
        return 1;
    }
    play.next_seq = found.next_seq;
    for (unsigned step = 0; step < steps; step++) {
        append_and_commit(&play, 1 + dice(8));
        if (dice(3) == 0 || spool_wants_seal(play.spool)) {
            (void)spool_seal(play.spool);
        }
        if (dice(6) == 0) {
            upload_one(&play);
        }
    }
    spool_close(play.spool);
    return 0;
}

static int recover(const char *dir, uint32_t boot_id)
{
    struct spool_config config = {
        .dir = dir, .quota_bytes = 64 << 20, .segment_max_bytes = 1 << 20, .boot_id = boot_id};
    struct spool *spool;
    struct spool_recovery found;
    int error = spool_open(&spool, &config, &found);
    if (error == 0) {
        spool_close(spool);
    }
    return error;
}

static int serve(void)
{
    char dir[PATH_MAX];
    char boot[16];
    while (scanf("%4095s %15s", dir, boot) == 2) {
        printf("%d\n", recover(dir, (uint32_t)strtoul(boot, NULL, 16)));
        fflush(stdout);
    }
    return 0;
}

/* ---- writers with a known fault ---- */

struct bad {
    bool dir_sync;      /* syncs the folder after it made a name */
    bool sync_first;    /* syncs the rows before it promises them */
    bool rename_synced; /* syncs a new file before it renames it over the old one */
};

static const struct {
    const char *name;
    struct bad how;
} bad_kinds[] = {
    {"good", {true, true, true}},
    {"no-dir-sync", {false, true, true}},
    {"ack-before-sync", {true, false, true}},
    {"rename-without-sync", {true, true, false}},
};

// Copies the rows of FROM and adds LINE, through a new file that replaces the old one.
static void replace_file(int dir_fd, const char *name, const char *text, size_t size,
                         const struct bad *how)
{
    int fd = openat(dir_fd, "0000000099.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || pwrite(fd, text, size, 0) != (ssize_t)size) {
        exit(1);
    }
    if (how->rename_synced) {
        fdatasync(fd);
    }
    close(fd);
    renameat(dir_fd, "0000000099.new", dir_fd, name);
}

static int bad(const char *kind, const char *dir, uint32_t boot_id, unsigned steps)
{
    const struct bad *how = NULL;
    for (size_t i = 0; i < sizeof bad_kinds / sizeof bad_kinds[0]; i++) {
        how = strcmp(kind, bad_kinds[i].name) == 0 ? &bad_kinds[i].how : how;
    }
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *text = malloc((steps + 2) * CSV_ROW_MAX);
    if (how == NULL || dir_fd < 0 || text == NULL) {
        fprintf(stderr, "store_driver: error: unknown KIND '%s', or no folder '%s'\n", kind, dir);
        return 2;
    }
    char name[64];
    size_t size = strlen(csv_header);
    memcpy(text, csv_header, size);
    snprintf(name, sizeof name, "0000000001-%08" PRIx32 "-1.csv.part", boot_id);
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    off_t written = 0;
    for (uint64_t seq = 1; seq <= steps; seq++) {
        size += format(text + size, boot_id, seq, NULL);
        if (seq % 10 == 0) {
            close(fd);
            replace_file(dir_fd, name, text, size, how);
            fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC, 0600);
        } else if (pwrite(fd, text + written, size - (size_t)written, written) < 0) {
            return 1;
        }
        written = (off_t)size;
        if (how->sync_first && seq % 10 != 0) {
            fdatasync(fd);
        }
        if (how->dir_sync && (seq == 1 || seq % 10 == 0)) {
            fsync(dir_fd);
        }
        promise("rows", seq, seq);
        if (!how->sync_first) {
            fdatasync(fd);
        }
    }
    close(fd);
    close(dir_fd);
    free(text);
    return 0;
}

static uint32_t hex(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 16);
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "run") == 0 && argc == 7) {
        return run(argv[2], hex(argv[3]), number(argv[4]), number(argv[5]), number(argv[6]));
    }
    if (strcmp(what, "bad") == 0 && argc == 6) {
        return bad(argv[2], argv[3], hex(argv[4]), number(argv[5]));
    }
    if (strcmp(what, "recover") == 0 && argc == 4) {
        return recover(argv[2], hex(argv[3])) == 0 ? 0 : 1;
    }
    if (strcmp(what, "serve") == 0 && argc == 2) {
        return serve();
    }
    fprintf(stderr, "usage: store_driver run|bad|recover|serve ... (see the top of the source)\n");
    return 2;
}
