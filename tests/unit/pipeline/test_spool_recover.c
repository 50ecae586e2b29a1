/* What a start makes of a directory that a crash or a bad block left behind. */
#include "core/csv.h"
#include "fault_calls.h"
#include "spool_box.h"
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PART "0000000001-1a2b3c4d-1.csv.part"

// A header and the rows FIRST..LAST. The caller frees.
static char *make_segment(uint64_t first, uint64_t last, size_t *size)
{
    char *text = malloc(CSV_ROW_MAX * (size_t)(last - first + 2));
    *size = strlen(csv_header);
    memcpy(text, csv_header, *size);
    for (uint64_t seq = first; seq <= last; seq++) {
        *size += box_row(text + *size, BOX_BOOT, seq);
    }
    return text;
}

static void start_over_with(struct box *box, const char *file, const void *data, size_t size)
{
    if (box->spool == NULL) {
        assert_int_equal(box_open(box), 0);
    }
    assert_int_equal(unlink(box_path(box, box_look(box)->part_name)), 0);
    box_write_file(box, file, data, size);
    box_restart(box);
}

static void delete_sealed(struct box *box)
{
    struct spool_segment segment;
    while (spool_next_sealed(box->spool, 0, &segment)) {
        assert_int_equal(spool_remove(box->spool, &segment), 0);
    }
}

/* ---- the .part ---- */

static void committed_rows_survive_a_kill_and_are_sealed(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 60);
    box_restart(box);
    assert_int_equal(box->found.recovered_rows, 60);
    assert_int_equal(box->found.torn_bytes, 0);
    assert_int_equal(box->found.next_seq, 61);
    assert_int_equal(box->found.durable_below, 61);
    assert_int_equal(box->found.sealed_segments, 1);
    box_assert_rows(box, 1, 60);
    assert_int_equal(box_look(box)->sealed_files, 1);
    assert_string_equal(box_look(box)->part_name, "0000000002-1a2b3c4d-61.csv.part");
    struct spool_segment segment;
    assert_true(spool_next_sealed(box->spool, 0, &segment));
}

static void a_part_cut_at_any_byte_keeps_exactly_its_whole_rows(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 3, &size);
    for (size_t cut = 0; cut <= size; cut++) {
        char file[64];
        // A number of its own each time: the numbers only rise.
        snprintf(file, sizeof file, "%010zu-1a2b3c4d-1.csv.part", 2 * cut + 1000);
        start_over_with(box, file, text, cut);
        uint64_t rows = 0;
        for (size_t i = strlen(csv_header); i < cut; i++) {
            rows += text[i] == '\n';
        }
        assert_int_equal(box->found.recovered_rows, rows);
        assert_int_equal(box->found.next_seq, rows + 1);
        assert_int_equal(box->found.bad_files, 0);
        box_assert_rows(box, 1, rows);
        delete_sealed(box);
    }
    free(text);
}

static void a_part_without_a_row_just_goes_on(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    start_over_with(box, "0000000007-1a2b3c4d-61.csv.part", csv_header, strlen(csv_header));
    assert_int_equal(box->found.next_seq, 61);
    assert_string_equal(box_look(box)->part_name, "0000000007-1a2b3c4d-61.csv.part");
    assert_int_equal(box_look(box)->headers, 0);
    box_put(box, 61, 62);
    box_assert_rows(box, 61, 62);
    assert_int_equal(box_look(box)->headers, 1);
}

static void an_empty_part_of_a_former_boot_gets_our_name_and_keeps_its_number(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    start_over_with(box, "0000000007-00000001-900.csv.part", "", 0);
    assert_int_equal(box->found.next_seq, 1);
    assert_string_equal(box_look(box)->part_name, "0000000007-1a2b3c4d-1.csv.part");
}

static void several_parts_are_all_recovered_in_order(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 10, &size);
    assert_int_equal(box_open(box), 0);
    box_write_file(box, "0000000003-1a2b3c4d-1.csv.part", text, size);
    free(text);
    text = make_segment(11, 20, &size);
    box_write_file(box, "0000000005-1a2b3c4d-11.csv.part", text, size);
    free(text);
    box_write_file(box, "0000000004-1a2b3c4d-11.csv.part", "", 0);
    box_write_file(box, "0000000006-1a2b3c4d-25.csv.part", "", 0);
    box_restart(box);
    assert_int_equal(box->found.recovered_rows, 20);
    assert_int_equal(box->found.next_seq, 25);
    box_assert_rows(box, 1, 20);
    const struct box_view *view = box_look(box);
    assert_int_equal(view->part_files, 1);
    assert_string_equal(view->part_name, "0000000006-1a2b3c4d-25.csv.part");
    assert_int_equal(view->sealed_files, 2);
    assert_int_equal(view->lowest_number, 3);
    assert_int_equal(view->highest_number, 5);
}

static void a_taken_number_costs_no_segment(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 10, &size);
    assert_int_equal(box_open(box), 0);
    box_write_file(box, "0000000001.csv", text, size);
    free(text);
    box_put_sealed(box, 11, 20); // ours is number 1, too
    box_assert_rows(box, 1, 20);
    assert_int_equal(box_look(box)->sealed_files, 2);
    box_restart(box);
    box_assert_rows(box, 1, 20);
}

/* ---- damage ---- */

static void zeros_behind_the_rows_are_cut(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 5, &size);
    text = realloc(text, size + 4096);
    memset(text + size, 0, 4096);
    start_over_with(box, PART, text, size + 4096);
    free(text);
    assert_int_equal(box->found.recovered_rows, 5);
    assert_int_equal(box->found.torn_bytes, 4096);
    box_assert_rows(box, 1, 5);
}

static void a_damaged_row_costs_only_itself(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 9, &size);
    char row[CSV_ROW_MAX];
    size_t length = box_row(row, BOX_BOOT, 5);
    char *at = memmem(text, size, row, length);
    memset(at, 0, length - 1);
    start_over_with(box, PART, text, size);
    free(text);
    assert_int_equal(box->found.recovered_rows, 8);
    assert_int_equal(box->found.torn_bytes, length);
    const struct box_view *view = box_look(box);
    assert_int_equal(view->times[4] + view->times[6], 2);
    assert_int_equal(view->times[5], 0);
    assert_int_equal(view->torn_lines, 0);
}

static void a_damaged_header_is_written_anew(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 9, &size);
    memset(text, 0, strlen(csv_header) + 10); // and the start of row 1
    start_over_with(box, PART, text, size);
    free(text);
    assert_int_equal(box->found.recovered_rows, 8);
    box_assert_rows(box, 2, 9);
    assert_int_equal(box_look(box)->headers, 1);
}

static void rows_without_room_for_a_header_go_to_bad(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 9, &size);
    size_t header = strlen(csv_header);
    start_over_with(box, PART, text + header, size - header);
    free(text);
    assert_int_equal(box->found.bad_files, 1);
    assert_int_equal(box_look(box)->bad_files, 1);
    assert_int_equal(box->found.recovered_rows, 0);
}

static void rows_that_do_not_rise_or_are_of_another_boot_are_dropped(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 4, &size);
    text = realloc(text, size + 6 * CSV_ROW_MAX);
    size += box_row(text + size, BOX_BOOT, 4);
    size += box_row(text + size, BOX_BOOT, 2);
    size += box_row(text + size, 0xdeadbeef, 6);
    size += box_row(text + size, BOX_BOOT, 7);
    start_over_with(box, PART, text, size);
    free(text);
    assert_int_equal(box->found.recovered_rows, 5);
    assert_int_equal(box->found.next_seq, 8);
    const struct box_view *view = box_look(box);
    assert_int_equal(view->times[4], 1);
    assert_int_equal(view->times[2], 1);
    assert_int_equal(view->times[7], 1);
}

// Overwrites the middle of what is there: each place a kill may stop the packing at.
static void packing_can_be_killed_at_any_write_and_run_again(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 12, &size);
    char row[CSV_ROW_MAX];
    for (uint64_t bad = 2; bad <= 5; bad += 3) {
        size_t length = box_row(row, BOX_BOOT, bad);
        memset(memmem(text, size, row, length), '#', length - 1);
    }
    for (unsigned stop = 1; stop <= 12; stop++) {
        assert_int_equal(box_open(box), 0);
        assert_int_equal(unlink(box_path(box, box_look(box)->part_name)), 0);
        char file[64];
        snprintf(file, sizeof file, "%010u-1a2b3c4d-1.csv.part", 100 * stop);
        box_write_file(box, file, text, size);
        box_kill(box);
        // The disk fails from this write on: the file stays as the writes so far have made it.
        fault_reset();
        fault_arm(CALL_PWRITE, stop, ENOSPC, true);
        fault_arm(CALL_FTRUNCATE, 1, ENOSPC, true);
        assert_int_equal(box_open(box), 0);
        assert_int_equal(box->found.next_seq, 13);
        assert_int_equal(box->found.durable_below, 1);
        box_kill(box);
        fault_reset();
        assert_int_equal(box_open(box), 0);
        assert_int_equal(box->found.recovered_rows, 10);
        const struct box_view *view = box_look(box);
        for (uint64_t seq = 1; seq <= 12; seq++) {
            assert_int_equal(view->times[seq], seq != 2 && seq != 5);
        }
        assert_int_equal(view->torn_lines, 0);
        delete_sealed(box);
        box_close(box);
    }
    free(text);
}

static void every_flipped_bit_is_found_or_leaves_a_row_that_is_whole(void **state)
{
    struct box *box = *state;
    size_t size;
    char *text = make_segment(1, 6, &size);
    assert_int_equal(box_open(box), 0);
    box_close(box);
    for (size_t bit = 0; bit < size * 8; bit++) {
        char path[] = "/tmp/spool-flip-XXXXXX";
        int fd = mkstemp(path);
        unlink(path);
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(pwrite(fd, text, size, 0), size);
        text[bit / 8] ^= (char)(1 << bit % 8);
        struct spool_keep keep = {BOX_BOOT, 1, UINT64_MAX, .look_only = false};
        struct spool_rescue rescue;
        int error = spool_rescue_rows(fd, size, &keep, &rescue);
        // One flip costs at most the two rows it may join, and what a jumping seq hides; the file
        // is whole afterwards: a second look finds nothing to do.
        if (error == 0 && rescue.rows > 0) {
            struct spool_rescue again;
            assert_int_equal(spool_rescue_rows(fd, rescue.size, &keep, &again), 0);
            assert_int_equal(again.rows, rescue.rows);
            assert_int_equal(again.torn_bytes, 0);
            struct csv_key first;
            struct csv_key last;
            assert_int_equal(spool_read_range(fd, rescue.size, &first, &last), 0);
            assert_int_equal(first.seq, rescue.first_seq);
            assert_int_equal(last.seq, rescue.last_seq);
        } else {
            assert_int_equal(error, -EBADMSG);
        }
        close(fd);
    }
    free(text);
}

static void a_damaged_sealed_segment_goes_to_bad_when_it_is_opened(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        box_put_sealed(box, seq, seq);
    }
    box_write_file(box, "0000000001.csv", "", 0);
    box_write_file(box, "0000000002.csv", "garbage that is longer than a column name\n", 42);
    assert_int_equal(truncate(box_path(box, "0000000003.csv"), 400), 0);
    struct spool_segment segment;
    int fd;
    for (uint64_t number = 1; number <= 3; number++) {
        assert_true(spool_next_sealed(box->spool, 0, &segment));
        assert_int_equal(segment.number, number);
        assert_int_equal(spool_open_segment(box->spool, &segment, &fd), -EBADMSG);
    }
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    assert_int_equal(spool_open_segment(box->spool, &segment, &fd), 0);
    close(fd);
    assert_int_equal(box_look(box)->bad_files, 3);
    struct spool_stats stats;
    spool_get_stats(box->spool, &stats);
    assert_int_equal(stats.bad_files, 3);
}

/* ---- size ---- */

static void a_start_with_many_segments_needs_no_memory_for_them(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_kill(box);
    size_t size;
    char *text = make_segment(1, 1, &size);
    for (unsigned number = 5; number < 3005; number++) {
        char file[64];
        snprintf(file, sizeof file, "%010u.csv", number);
        box_write_file(box, file, text, size);
    }
    free(text);
    assert_int_equal(box_open(box), 0);
    box_close(box);
    struct mallinfo2 before = mallinfo2();
    assert_int_equal(box_open(box), 0);
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(box->found.sealed_segments, 3000);
    assert_true(after.uordblks - before.uordblks <= sizeof(struct spool) + 64);
    struct spool_segment segment;
    unsigned seen = 0;
    for (uint64_t next = 0; spool_next_sealed(box->spool, next, &segment); next = segment.number) {
        seen++;
    }
    assert_int_equal(seen, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
        TEST(committed_rows_survive_a_kill_and_are_sealed),
        TEST(a_part_cut_at_any_byte_keeps_exactly_its_whole_rows),
        TEST(a_part_without_a_row_just_goes_on),
        TEST(an_empty_part_of_a_former_boot_gets_our_name_and_keeps_its_number),
        TEST(several_parts_are_all_recovered_in_order),
        TEST(a_taken_number_costs_no_segment),
        TEST(zeros_behind_the_rows_are_cut),
        TEST(a_damaged_row_costs_only_itself),
        TEST(a_damaged_header_is_written_anew),
        TEST(rows_without_room_for_a_header_go_to_bad),
        TEST(rows_that_do_not_rise_or_are_of_another_boot_are_dropped),
        TEST(packing_can_be_killed_at_any_write_and_run_again),
        TEST(every_flipped_bit_is_found_or_leaves_a_row_that_is_whole),
        TEST(a_damaged_sealed_segment_goes_to_bad_when_it_is_opened),
        TEST(a_start_with_many_segments_needs_no_memory_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
