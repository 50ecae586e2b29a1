/* A start over files that can not be read, written or moved: nothing is lost, nothing used twice.
 */
#include "core/csv.h"
#include "fault_calls.h"
#include "spool_box.h"
#include "spool_private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OTHER_BOOT 0xdeadbeefu

// A .part of BOOT with the rows FIRST..LAST; DAMAGED: one line before them is junk.
static void write_part(const struct box *box, uint64_t number, uint32_t boot, uint64_t first,
                       uint64_t last, bool damaged)
{
    char *text = malloc(CSV_ROW_MAX * (size_t)(last - first + 3));
    assert_non_null(text);
    size_t size = strlen(csv_header);
    memcpy(text, csv_header, size);
    if (damaged) {
        memcpy(text + size, "junk\n", 5);
        size += 5;
    }
    for (uint64_t seq = first; seq <= last; seq++) {
        size += box_row(text + size, boot, seq);
    }
    struct spool_name name = {SPOOL_PART, number, boot, first, 0};
    char file[SPOOL_NAME_MAX];
    spool_name_format(file, &name);
    box_write_file(box, file, text, size);
    free(text);
}

// An empty folder, as if the spool had never started.
static void make_folder(struct box *box)
{
    assert_int_equal(box_open(box), 0);
    assert_int_equal(unlink(box_path(box, box_look(box)->part_name)), 0);
    box_kill(box);
}

static void an_interrupted_sync_of_a_part_is_made_again(void **state)
{
    struct box *box = *state;
    make_folder(box);
    write_part(box, 1, BOX_BOOT, 1, 10, false);
    fault_arm(CALL_FDATASYNC, 1, EINTR, false);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(fault_fired(), 1);
    assert_int_equal(box->found.recovered_rows, 10);
    box_assert_rows(box, 1, 10);
}

static void a_part_that_may_not_be_opened_is_set_aside_and_its_seqs_stay_used(void **state)
{
    static const int errors[] = {EACCES, EPERM, EIO};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct box *box = *state;
        make_folder(box);
        write_part(box, 1, BOX_BOOT, 1, 10, false);
        // Each try to read it; the openat of bad/ comes after them.
        fault_arm(CALL_PREAD, 1, errors[i], true);
        assert_int_equal(box_open(box), 0);
        assert_int_equal(box->found.bad_files, 1);
        assert_true(box->found.next_seq > 10);
        assert_int_equal(box_look(box)->aside[10], 1);
        box_close(box);
        fault_reset();
        box_delete(box);
    }
}

static void a_row_that_can_not_be_moved_leaves_the_file_for_later(void **state)
{
    struct box *box = *state;
    make_folder(box);
    write_part(box, 1, BOX_BOOT, 1, 10, true);
    fault_arm(CALL_PWRITE, 1, EIO, true);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(fault_count(CALL_PWRITE), 1); // a disk that refuses is not asked again
    assert_int_equal(box->found.bad_files, 0);
    assert_int_equal(box->found.next_seq, 11);
    assert_int_equal(box->found.durable_below, 1); // what the ring still has is to come again
    fault_reset();
    box_put(box, 11, 12);
    box_assert_rows(box, 1, 12);
}

static void a_part_of_a_former_boot_casts_no_doubt_on_the_rows_of_this_one(void **state)
{
    struct box *box = *state;
    make_folder(box);
    write_part(box, 1, OTHER_BOOT, 1, 10, true);
    write_part(box, 2, BOX_BOOT, 1, 5, false);
    fault_arm(CALL_PWRITE, 1, EROFS, true);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 6);
    assert_int_equal(box->found.durable_below, 6);
}

static void two_parts_that_can_not_be_cleaned_are_both_cleaned_later(void **state)
{
    struct box *box = *state;
    make_folder(box);
    write_part(box, 1, BOX_BOOT, 1, 5, true);
    write_part(box, 2, BOX_BOOT, 6, 10, true);
    fault_arm(CALL_PWRITE, 1, EROFS, true);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(fault_count(CALL_PWRITE), 2);
    assert_int_equal(box->found.next_seq, 11);
    assert_int_equal(box->found.durable_below, 1);
    assert_int_equal(box_append(box, 11, 12), -EROFS);
    fault_reset();
    box_put(box, 11, 12);
    box_assert_rows(box, 1, 12);
}

static void a_stranger_with_a_parts_name_that_can_not_be_moved_blocks_nothing(void **state)
{
    struct box *box = *state;
    make_folder(box);
    box_write_file(box, "0000000001-1a2b3c4d-1.csv.part", "not ours\n", 9);
    fault_arm(CALL_RENAMEAT2, 1, EROFS, true);
    assert_int_equal(box_open(box), 0);
    fault_reset();
    box_put(box, box->found.next_seq, box->found.next_seq + 1);
    assert_int_equal(box_look(box)->part_files, 2); // there still, and ours
}

static void a_part_that_can_not_be_moved_out_of_the_way_is_read_again_later(void **state)
{
    struct box *box = *state;
    make_folder(box);
    write_part(box, 1, BOX_BOOT, 1, 10, false);
    fault_arm(CALL_PREAD, 1, EIO, true);
    fault_arm(CALL_RENAMEAT2, 1, EROFS, true);
    assert_int_equal(box_open(box), 0);
    fault_reset();
    uint64_t next = box->found.next_seq;
    assert_true(next > 10);
    box_put(box, next, next);
    assert_int_equal(box_look(box)->times[10], 1);
}

// Goes on with an empty .part of a former boot, which gets a new name.
static void go_on_with_spare(struct box *box, enum fault_call call, unsigned nth)
{
    make_folder(box);
    box_write_file(box, "0000000010-deadbeef-1.csv.part", "", 0);
    fault_reset();
    if (nth != 0) {
        fault_arm(call, nth, EROFS, false);
    }
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 1);
}

static void a_spare_that_can_not_be_renamed_or_opened_is_used_later(void **state)
{
    static const enum fault_call calls[] = {CALL_RENAMEAT2, CALL_OPENAT};
    struct box *box = *state;
    for (unsigned i = 0; i < 2; i++) {
        go_on_with_spare(box, calls[i], 0);
        unsigned last = fault_count(calls[i]); // to open it is the last step
        box_kill(box);
        box_delete(box);
        go_on_with_spare(box, calls[i], last);
        assert_int_equal(fault_fired(), 1);
        box_put(box, 1, 2);
        box_assert_rows(box, 1, 2);
        box_close(box);
        box_delete(box);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_interrupted_sync_of_a_part_is_made_again),
        TEST(a_part_that_may_not_be_opened_is_set_aside_and_its_seqs_stay_used),
        TEST(a_row_that_can_not_be_moved_leaves_the_file_for_later),
        TEST(a_part_of_a_former_boot_casts_no_doubt_on_the_rows_of_this_one),
        TEST(two_parts_that_can_not_be_cleaned_are_both_cleaned_later),
        TEST(a_stranger_with_a_parts_name_that_can_not_be_moved_blocks_nothing),
        TEST(a_part_that_can_not_be_moved_out_of_the_way_is_read_again_later),
        TEST(a_spare_that_can_not_be_renamed_or_opened_is_used_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
