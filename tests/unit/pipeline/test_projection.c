#include "pipeline/projection.h"

#include "core/csv.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[SCRATCH_PATH_MAX];

static int make_scratch(void **state)
{
    (void)state;
    return scratch_make(scratch, sizeof scratch);
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove(scratch);
    return 0;
}

static struct record record_number(uint64_t seq)
{
    return (struct record){.boot_id = 0x1a2b3c4d,
                           .seq = seq,
                           .valid = VALID_CLOCK_DIFF,
                           .wall_ns = INT64_C(1700000000000000000) + (int64_t)seq,
                           .elapsed_mono_us = 1000001,
                           .elapsed_wall_us = -5,
                           .clock_diff_ns = -50000000,
                           .status = STATUS_NORMAL};
}

// A segment of ROWS rows, with JUNK after the header; returns an open descriptor.
static int make_segment(unsigned rows, const char *junk)
{
    char path[SCRATCH_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/segment", scratch);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(csv_header, file);
    fputs(junk, file);
    for (unsigned seq = 1; seq <= rows; seq++) {
        struct record record = record_number(seq);
        char row[CSV_ROW_MAX];
        fwrite(row, 1, csv_format_row(row, &record), file);
    }
    fclose(file);
    return open(path, O_RDONLY | O_CLOEXEC);
}

// Reads the projection of the segment at FD into a fresh string.
static char *project(int fd, uint64_t *size)
{
    int out = -1;
    assert_int_equal(projection_legacy(fd, scratch, &out, size), 0);
    char *text = calloc(1, (size_t)*size + 1);
    assert_non_null(text);
    assert_int_equal(pread(out, text, (size_t)*size, 0), *size);
    close(out);
    close(fd);
    return text;
}

static void projection_has_five_columns_and_no_header(void **state)
{
    (void)state;
    uint64_t size = 0;
    char *text = project(make_segment(1, ""), &size);
    assert_string_equal(text, "1000001,-5,1700000000000000,-0.050000,Normal\n");
    free(text);
}

static void projection_keeps_every_row_over_many_blocks(void **state)
{
    (void)state;
    uint64_t size = 0;
    char *text = project(make_segment(5000, ""), &size);
    unsigned lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++) {
        lines++;
    }
    assert_int_equal(lines, 5000);
    free(text);
}

static void projection_of_the_same_segment_is_the_same(void **state)
{
    (void)state;
    uint64_t size_a = 0;
    uint64_t size_b = 0;
    char *a = project(make_segment(300, ""), &size_a);
    char *b = project(make_segment(300, ""), &size_b);
    assert_int_equal(size_a, size_b);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void projection_leaves_out_what_is_no_row(void **state)
{
    (void)state;
    char *junk = calloc(1, 20002);
    assert_non_null(junk);
    memset(junk, 'x', 20000);
    junk[20000] = '\n';
    uint64_t size = 0;
    char *text = project(make_segment(1, junk), &size);
    assert_string_equal(text, "1000001,-5,1700000000000000,-0.050000,Normal\n");
    free(text);
    free(junk);
}

static void projection_leaves_no_file_behind(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX + 16];
    uint64_t size = 0;
    free(project(make_segment(1, ""), &size));
    snprintf(path, sizeof path, "%s/segment", scratch);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(scratch), 0); // nothing else is in it
    assert_int_equal(scratch_make(scratch, sizeof scratch), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projection_has_five_columns_and_no_header),
        cmocka_unit_test(projection_keeps_every_row_over_many_blocks),
        cmocka_unit_test(projection_of_the_same_segment_is_the_same),
        cmocka_unit_test(projection_leaves_out_what_is_no_row),
        cmocka_unit_test(projection_leaves_no_file_behind),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
