#include "pipeline/segment_name.h"

#include "core/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char name[SEGMENT_NAME_MAX];

static void add_rows(FILE *file, uint32_t boot_id, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++) {
        struct record record = {.seq = seq, .boot_id = boot_id};
        char row[CSV_ROW_MAX];
        size_t len = csv_format_row(row, &record);
        assert_int_equal(fwrite(row, 1, len, file), len);
    }
}

static void name_file(FILE *file)
{
    assert_int_equal(fflush(file), 0);
    struct spool_segment segment = {.number = 41, .name = "0000000041.csv"};
    segment.size = (uint64_t)ftell(file);
    segment_name(fileno(file), &segment, name);
    fclose(file);
}

static FILE *new_file(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(fputs(csv_header, file) >= 0);
    return file;
}

static void the_name_says_which_rows_are_inside(void **state)
{
    (void)state;
    static const struct {
        uint64_t first;
        uint64_t last;
        const char *name;
    } cases[] = {
        {1, 1, "time_log-1a2b3c4d-0000000001-0000000001.csv"},
        {7, 8, "time_log-1a2b3c4d-0000000007-0000000008.csv"},
        {3601, 7200, "time_log-1a2b3c4d-0000003601-0000007200.csv"},
        {UINT64_C(99999999999), UINT64_C(100000000001),
         "time_log-1a2b3c4d-99999999999-100000000001.csv"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *file = new_file();
        add_rows(file, 0x1a2b3c4d, cases[i].first, cases[i].last);
        name_file(file);
        assert_string_equal(name, cases[i].name);
    }
}

static void a_segment_that_can_not_be_read_is_named_by_its_number(void **state)
{
    (void)state;
    static const char *const tails[] = {"", "\n", "garbage\n", "1,2,3", "a,b\nc,d\n"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        FILE *file = new_file();
        assert_true(fputs(tails[i], file) >= 0);
        name_file(file);
        assert_string_equal(name, "time_log-0000000041.csv");
    }
    FILE *empty = tmpfile();
    assert_non_null(empty);
    name_file(empty);
    assert_string_equal(name, "time_log-0000000041.csv");
    FILE *damaged_end = new_file();
    add_rows(damaged_end, 1, 1, 3);
    assert_true(fputs("torn", damaged_end) >= 0);
    name_file(damaged_end);
    assert_string_equal(name, "time_log-0000000041.csv");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_says_which_rows_are_inside),
        cmocka_unit_test(a_segment_that_can_not_be_read_is_named_by_its_number),
    };
    return cmocka_run_group_tests_name("segment_name", tests, NULL, NULL);
}
