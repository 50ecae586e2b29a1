/* The bytes of one file: what is a row, what is not, and what the disk says in between. */
#include "core/csv.h"
#include "fault_calls.h"
#include "spool_box.h"
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_NAME "rows"

/* A file under way: header and rows, with whatever else between them. */
struct text {
    char bytes[128 * CSV_ROW_MAX];
    size_t size;
};

static void add(struct text *text, const char *bytes, size_t size)
{
    assert_true(text->size + size <= sizeof text->bytes);
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

static void add_header(struct text *text)
{
    add(text, csv_header, strlen(csv_header));
}

static void add_row(struct text *text, uint64_t seq)
{
    char row[CSV_ROW_MAX];
    add(text, row, box_row(row, BOX_BOOT, seq));
}

// A line of LENGTH bytes, its LF included.
static void add_junk(struct text *text, size_t length)
{
    assert_true(text->size + length <= sizeof text->bytes);
    memset(text->bytes + text->size, '#', length - 1);
    text->bytes[text->size + length - 1] = '\n';
    text->size += length;
}

static int setup(void **state)
{
    fault_reset();
    if (box_setup(state) != 0) {
        return -1;
    }
    const struct box *box = *state;
    return mkdir(box->dir, 0700);
}

static int teardown(void **state)
{
    fault_reset();
    return box_teardown(state);
}

static int open_file(const struct box *box, const struct text *text, int flags)
{
    box_write_file(box, FILE_NAME, text->bytes, text->size);
    int fd = open(box_path(box, FILE_NAME), flags);
    assert_true(fd >= 0);
    return fd;
}

static const struct spool_keep keep_all = {BOX_BOOT, 1, UINT64_MAX, .look_only = false};
static const struct spool_keep only_look = {BOX_BOOT, 1, UINT64_MAX, .look_only = true};

static struct text *new_text(void)
{
    struct text *text = calloc(1, sizeof *text);
    assert_non_null(text);
    return text;
}

/* ---- packing ---- */

static void a_line_longer_than_any_row_costs_only_itself(void **state)
{
    // One byte too long, as long as the buffer, and longer than all that is ever in memory.
    static const size_t lengths[] = {CSV_ROW_MAX, CSV_ROW_MAX + 1, 16 * CSV_ROW_MAX,
                                     40 * CSV_ROW_MAX};
    struct box *box = *state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct text *text = new_text();
        add_header(text);
        add_row(text, 1);
        add_junk(text, lengths[i]);
        add_row(text, 2);
        add_row(text, 3);
        struct spool_rescue rescue;
        int fd = open_file(box, text, O_RDWR);
        assert_int_equal(spool_rescue_rows(fd, text->size, &keep_all, &rescue), 0);
        assert_int_equal(rescue.rows, 3);
        assert_int_equal(rescue.torn_bytes, lengths[i]);
        assert_int_equal(rescue.last_seq, 3);
        close(fd);
        free(text);
    }
}

static void a_long_line_in_the_place_of_the_header_is_no_header(void **state)
{
    struct box *box = *state;
    struct text *text = new_text();
    add_junk(text, 2 * CSV_ROW_MAX);
    add_row(text, 1);
    struct spool_rescue rescue;
    int fd = open_file(box, text, O_RDWR);
    assert_int_equal(spool_rescue_rows(fd, text->size, &keep_all, &rescue), 0);
    assert_int_equal(rescue.rows, 1);
    char start[CSV_ROW_MAX];
    ssize_t header = (ssize_t)strlen(csv_header);
    assert_int_equal(pread(fd, start, (size_t)header, 0), header);
    assert_memory_equal(start, csv_header, (size_t)header);
    close(fd);
    free(text);
}

static void a_look_counts_rows_behind_a_damaged_header_and_changes_nothing(void **state)
{
    struct box *box = *state;
    struct text *text = new_text();
    add_junk(text, strlen(csv_header) + 5);
    add_row(text, 1);
    add_row(text, 2);
    struct spool_rescue rescue;
    int fd = open_file(box, text, O_RDONLY); // a write would fail
    assert_int_equal(spool_rescue_rows(fd, text->size, &only_look, &rescue), 0);
    assert_int_equal(rescue.rows, 2);
    assert_int_equal(rescue.last_seq, 2);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, text->size);
    close(fd);
    free(text);
}

static void an_interrupted_write_is_made_again(void **state)
{
    struct box *box = *state;
    struct text *text = new_text();
    add_header(text);
    add_junk(text, 30);
    add_row(text, 1);
    struct spool_rescue rescue;
    int fd = open_file(box, text, O_RDWR);
    fault_arm(CALL_PWRITE, 1, EINTR, false);
    assert_int_equal(spool_rescue_rows(fd, text->size, &keep_all, &rescue), 0);
    assert_int_equal(fault_fired(), 1);
    assert_int_equal(rescue.rows, 1);
    close(fd);
    free(text);
}

static void what_has_neither_row_nor_header_is_not_ours(void **state)
{
    struct box *box = *state;
    struct text *text = new_text();
    add_junk(text, 30);
    struct spool_rescue rescue;
    int fd = open_file(box, text, O_RDWR);
    assert_int_equal(spool_rescue_rows(fd, text->size, &keep_all, &rescue), -EBADMSG);
    close(fd);
    // The start of our header, torn: ours, unless it can not be read a second time.
    text->size = 0;
    add(text, csv_header, 20);
    fd = open_file(box, text, O_RDWR);
    fault_reset();
    assert_int_equal(spool_rescue_rows(fd, text->size, &keep_all, &rescue), 0);
    unsigned reads = fault_count(CALL_PREAD);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, csv_header, 20, 0), 20);
    fault_reset();
    fault_arm(CALL_PREAD, reads, EIO, false);
    assert_int_equal(spool_rescue_rows(fd, 20, &keep_all, &rescue), -EBADMSG);
    close(fd);
    free(text);
}

/* ---- reading only ---- */

struct seen {
    unsigned rows;
    unsigned stop_after; /* 0: never */
};

static int count_row(void *ctx, const char *row, size_t size)
{
    struct seen *seen = ctx;
    assert_true(size > 0 && memchr(row, '\n', size) == NULL);
    seen->rows++;
    return seen->rows == seen->stop_after ? -ENOSPC : 0;
}

static void each_row_leaves_out_long_lines_and_stops_when_told(void **state)
{
    struct box *box = *state;
    struct text *text = new_text();
    add_header(text);
    add_row(text, 1);
    add_junk(text, 20 * CSV_ROW_MAX);
    add_row(text, 2);
    int fd = open_file(box, text, O_RDONLY);
    struct seen all = {0};
    assert_int_equal(spool_each_row(fd, count_row, &all), 0);
    assert_int_equal(all.rows, 3); // the header is a line, too
    struct seen some = {.stop_after = 2};
    assert_int_equal(spool_each_row(fd, count_row, &some), -ENOSPC);
    assert_int_equal(some.rows, 2);
    fault_arm(CALL_PREAD, 1, EIO, true);
    assert_int_equal(spool_each_row(fd, count_row, &all), -EIO);
    close(fd);
    free(text);
}

static int range_of(const struct box *box, const struct text *text, uint64_t size)
{
    struct csv_key first;
    struct csv_key last;
    int fd = open_file(box, text, O_RDONLY);
    int error = spool_read_range(fd, size, &first, &last);
    close(fd);
    if (error == 0) {
        assert_true(first.seq == 1 && last.seq >= first.seq);
    }
    return error;
}

static void a_range_is_read_from_whole_segments_only(void **state)
{
    struct box *box = *state;
    struct text *text = new_text();
    add_header(text);
    assert_int_equal(range_of(box, text, text->size), -EBADMSG); // no row
    size_t header = text->size;
    add_row(text, 1);
    assert_int_equal(range_of(box, text, text->size), 0);
    assert_int_equal(range_of(box, text, text->size + 1), -EBADMSG); // shorter than it was
    for (uint64_t seq = 2; seq <= 9; seq++) {
        add_row(text, seq);
    }
    assert_int_equal(range_of(box, text, text->size), 0);
    assert_int_equal(range_of(box, text, text->size - 1), -EBADMSG); // does not end with an LF
    text->bytes[header] = '#';
    assert_int_equal(range_of(box, text, text->size), -EBADMSG); // its first row is none
    text->size = header;
    add_junk(text, 3 * CSV_ROW_MAX);
    assert_int_equal(range_of(box, text, text->size), -EBADMSG); // no LF where one must be
    // Shorter than its size says, by the time it is read.
    text->size = header;
    assert_int_equal(range_of(box, text, text->size + 1), -EBADMSG);
    free(text);
}

static void a_range_that_can_not_be_read_says_why(void **state)
{
    struct box *box = *state;
    struct text *text = new_text();
    add_header(text);
    add_row(text, 1);
    for (unsigned nth = 1; nth <= 2; nth++) {
        fault_reset();
        // the first look ends with a read of nothing
        fault_arm(CALL_PREAD, nth == 1 ? 1 : 3, EIO, true);
        assert_int_equal(range_of(box, text, text->size), -EIO);
    }
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_longer_than_any_row_costs_only_itself),
        TEST(a_long_line_in_the_place_of_the_header_is_no_header),
        TEST(a_look_counts_rows_behind_a_damaged_header_and_changes_nothing),
        TEST(an_interrupted_write_is_made_again),
        TEST(what_has_neither_row_nor_header_is_not_ours),
        TEST(each_row_leaves_out_long_lines_and_stops_when_told),
        TEST(a_range_is_read_from_whole_segments_only),
        TEST(a_range_that_can_not_be_read_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
