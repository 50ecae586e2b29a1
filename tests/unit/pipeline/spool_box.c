#include "spool_box.h"

#include "fault_calls.h"

#include "core/csv.h"
#include "spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the folder ---- */

static int delete_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void box_delete(struct box *box)
{
    nftw(box->dir, delete_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int box_setup(void **state)
{
    fault_reset();
    struct box *box = calloc(1, sizeof *box);
    const char *tmp = getenv("TMPDIR");
    snprintf(box->dir, sizeof box->dir, "%s/spool-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(box->dir) == NULL) {
        return -1;
    }
    strcat(box->dir, "/spool");
    box->config = (struct spool_config){
        .dir = box->dir,
        .quota_bytes = 64 << 20,
        .keep_free_bytes = 0,
        .segment_max_bytes = 1 << 20,
        .boot_id = BOX_BOOT,
    };
    *state = box;
    return 0;
}

int box_teardown(void **state)
{
    fault_reset(); // or what is armed still spoils the cleaning up
    struct box *box = *state;
    box_close(box);
    *strrchr(box->dir, '/') = '\0';
    box_delete(box);
    free(box);
    return 0;
}

const char *box_path(const struct box *box, const char *file)
{
    static char path[PATH_MAX + 2 * NAME_MAX];
    snprintf(path, sizeof path, "%s/%s", box->dir, file);
    return path;
}

void box_write_file(const struct box *box, const char *file, const void *data, size_t size)
{
    int fd = open(box_path(box, file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
}

unsigned box_count(const struct box *box, const char *sub)
{
    DIR *dir = opendir(box_path(box, sub));
    unsigned count = 0;
    if (dir != NULL) {
        while (readdir(dir) != NULL) {
            count++;
        }
        closedir(dir);
        count -= 2;
    }
    return count;
}

/* ---- the spool ---- */

int box_open(struct box *box)
{
    return spool_open(&box->spool, &box->config, &box->found);
}

void box_kill(struct box *box)
{
    struct spool *spool = box->spool;
    if (spool->active.fd >= 0) {
        close(spool->active.fd);
    }
    close(spool->dir_fd);
    pthread_mutex_destroy(&spool->mutex);
    free(spool);
    box->spool = NULL;
}

void box_close(struct box *box)
{
    spool_close(box->spool);
    box->spool = NULL;
}

void box_restart(struct box *box)
{
    box_kill(box);
    assert_int_equal(box_open(box), 0);
}

/* ---- rows ---- */

size_t box_row(char *out, uint32_t boot_id, uint64_t seq)
{
    struct record record = {
        .seq = seq,
        .boot_id = boot_id,
        .valid = VALID_CLOCK_DIFF | VALID_STRATUM,
        .wall_ns = 1800000000000000000 + (int64_t)seq * 1000000000,
        .elapsed_mono_us = 1000000,
        .clock_diff_ns = (int64_t)(seq * 2654435761u % 1000000) - 500000,
        .stratum = 2,
        .status = STATUS_NORMAL,
        .sync_state = SYNC_SYNCED,
        .source = SOURCE_CHRONY,
    };
    return csv_format_row(out, &record);
}

int box_append(struct box *box, uint64_t first, uint64_t last)
{
    size_t size = 0;
    char *rows = malloc((size_t)(last - first + 1) * CSV_ROW_MAX);
    assert_non_null(rows);
    for (uint64_t seq = first; seq <= last; seq++) {
        size += box_row(rows + size, box->config.boot_id, seq);
    }
    int error = spool_append(box->spool, rows, size, first, last);
    free(rows);
    return error;
}

void box_put(struct box *box, uint64_t first, uint64_t last)
{
    assert_int_equal(box_append(box, first, last), 0);
    assert_int_equal(spool_commit(box->spool), 0);
}

void box_put_sealed(struct box *box, uint64_t first, uint64_t last)
{
    assert_int_equal(box_append(box, first, last), 0);
    assert_int_equal(spool_seal(box->spool), 0);
}

/* ---- looking ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text);
    size_t b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static void look_at_line(struct box_view *view, const char *line, size_t length, bool first)
{
    struct csv_key key;
    char row[CSV_ROW_MAX];
    if (first && length + 1 == strlen(csv_header) && memcmp(line, csv_header, length) == 0) {
        view->headers++;
    } else if (csv_parse_key(line, length, &key) != 0 || key.seq > BOX_SEQ_MAX) {
        view->torn_lines++;
    } else {
        // Not only a row: the row of this seq, byte for byte.
        bool same =
            box_row(row, key.boot_id, key.seq) == length + 1 && memcmp(row, line, length) == 0;
        view->torn_lines += !same;
        view->times[key.seq] = (unsigned char)(view->times[key.seq] + (key.boot_id == BOX_BOOT));
    }
}

static uint64_t look_at_file(struct box_view *view, const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *line = NULL;
    size_t room = 0;
    uint64_t size = 0;
    bool first = true;
    for (ssize_t n; (n = getline(&line, &room, file)) > 0; first = false) {
        size += (uint64_t)n;
        if (line[n - 1] == '\n') {
            look_at_line(view, line, (size_t)n - 1, first);
        } else {
            view->torn_lines++;
        }
    }
    free(line);
    fclose(file);
    return size;
}

// Damaged files: only their rows count.
static void look_into_bad(struct box_view *view, const struct box *box)
{
    static struct box_view inside;
    memset(&inside, 0, sizeof inside);
    DIR *dir = opendir(box_path(box, "bad"));
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char file[NAME_MAX + 8];
        struct stat st;
        snprintf(file, sizeof file, "bad/%s", entry->d_name);
        if (lstat(box_path(box, file), &st) == 0 && S_ISREG(st.st_mode) && st.st_size < 1 << 20) {
            look_at_file(&inside, box_path(box, file));
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    memcpy(view->aside, inside.times, sizeof view->aside);
}

static void look_at_entry(struct box_view *view, const struct box *box, const char *name)
{
    if (ends_with(name, ".csv.part")) {
        view->part_files++;
        strcpy(view->part_name, name);
        look_at_file(view, box_path(box, name));
    } else if (ends_with(name, ".csv")) {
        uint64_t number = strtoull(name, NULL, 10);
        view->sealed_files++;
        view->lowest_number =
            view->sealed_files == 1 || number < view->lowest_number ? number : view->lowest_number;
        view->highest_number = number > view->highest_number ? number : view->highest_number;
        view->sealed_bytes += look_at_file(view, box_path(box, name));
    } else if (ends_with(name, ".evicted")) {
        view->note_files++;
    } else if (strcmp(name, "bad") == 0) {
        view->bad_files = box_count(box, "bad");
        look_into_bad(view, box);
    } else {
        view->other_files++;
    }
}

const struct box_view *box_look(const struct box *box)
{
    static struct box_view view;
    memset(&view, 0, sizeof view);
    DIR *dir = opendir(box->dir);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            look_at_entry(&view, box, entry->d_name);
        }
    }
    closedir(dir);
    return &view;
}

void box_assert_rows(const struct box *box, uint64_t first, uint64_t last)
{
    const struct box_view *view = box_look(box);
    for (uint64_t seq = 0; seq <= BOX_SEQ_MAX; seq++) {
        int wanted = seq >= first && seq <= last;
        if (view->times[seq] != wanted) {
            fail_msg("row %" PRIu64 " is there %d times, want %d", seq, view->times[seq], wanted);
        }
    }
    assert_int_equal(view->torn_lines, 0);
}
