/* Trouble while the spool runs: deleted files, failing deletes and renames, and how it heals. */
#include "fault_calls.h"
#include "spool_box.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void a_folder_deleted_while_running_is_made_again_and_locked(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 10);
    box_put(box, 11, 20);
    box_delete(box);
    assert_int_equal(box_append(box, 21, 30), 0);
    assert_int_equal(spool_commit(box->spool), -ESTALE);
    box_put(box, 21, 30);
    box_assert_rows(box, 21, 30);
    struct stat st;
    assert_int_equal(stat(box->dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    struct spool *second;
    struct spool_recovery found;
    assert_int_equal(spool_open(&second, &box->config, &found), -EBUSY);
    struct spool_stats stats;
    spool_get_stats(box->spool, &stats);
    assert_int_equal(stats.sealed_segments, 0);
    box_put_sealed(box, 31, 40);
    struct spool_segment segment;
    assert_true(spool_next_sealed(box->spool, 0, &segment));
}

static void files_deleted_while_running_are_noticed(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 10);
    assert_int_equal(unlink(box_path(box, "0000000001.csv")), 0);
    assert_int_equal(unlink(box_path(box, box_look(box)->part_name)), 0);
    assert_int_equal(box_append(box, 11, 20), 0);
    assert_int_equal(spool_commit(box->spool), -ESTALE);
    box_put(box, 11, 20);
    box_assert_rows(box, 11, 20);
    struct spool_stats stats;
    spool_get_stats(box->spool, &stats);
    assert_int_equal(stats.sealed_segments, 0);
}

static void an_acknowledged_segment_that_can_not_be_deleted_is_not_offered_again(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        box_put_sealed(box, seq, seq);
    }
    struct spool_segment segment;
    fault_arm(CALL_UNLINKAT, 1, EROFS, true);
    for (uint64_t number = 1; number <= 2; number++) {
        assert_true(spool_next_sealed(box->spool, 0, &segment));
        assert_int_equal(segment.number, number);
        assert_int_equal(spool_remove(box->spool, &segment), -EROFS);
    }
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    assert_int_equal(segment.number, 3);
    assert_int_equal(box_look(box)->sealed_files, 3);
    fault_reset();
    assert_true(spool_next_sealed(box->spool, 0, &segment)); // deletes them on the way
    assert_int_equal(segment.number, 3);
    assert_int_equal(box_look(box)->sealed_files, 1);
    struct spool_stats stats;
    spool_get_stats(box->spool, &stats);
    assert_int_equal(stats.sealed_segments, 1);
}

static void a_failed_rename_leaves_the_segment_active(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 10);
    fault_arm(CALL_RENAMEAT2, 1, EIO, false);
    assert_int_equal(spool_seal(box->spool), -EIO);
    box_put(box, 11, 20);
    assert_int_equal(box_look(box)->part_files, 1);
    assert_int_equal(spool_seal(box->spool), 0);
    box_assert_rows(box, 1, 20);
    assert_int_equal(box_look(box)->sealed_files, 1);
}

static void a_file_system_that_can_not_refuse_to_replace_is_looked_at_first(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    fault_arm(CALL_RENAMEAT2, 1, EINVAL, true);
    box_put(box, 1, 10);
    box_write_file(box, "0000000001.csv", "somebody else's", 15);
    assert_int_equal(spool_seal(box->spool), 0);
    box_put_sealed(box, 11, 20);
    const struct box_view *view = box_look(box);
    assert_int_equal(view->sealed_files, 3);
    assert_int_equal(view->times[1] + view->times[20], 2);
}

static void the_newest_segment_stays_while_no_part_says_where_numbering_goes_on(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 10);
    assert_int_equal(box_append(box, 11, 20), 0);
    fault_arm(CALL_FDATASYNC, 1, EIO, false);
    assert_int_equal(spool_commit(box->spool), -EIO);
    // The old segment gets sealed, but a new one can not be made: openat of the .part, of the
    // directory walk, then of the new file.
    fault_arm(CALL_OPENAT, 3, ENOSPC, true);
    assert_int_equal(box_append(box, 11, 20), -ENOSPC);
    fault_reset();
    assert_int_equal(box_look(box)->part_files, 0);
    struct spool_segment segment;
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    assert_int_equal(spool_remove(box->spool, &segment), 0);
    assert_int_equal(box_look(box)->sealed_files, 1);
    assert_false(spool_next_sealed(box->spool, 0, &segment)); // acknowledged all the same
    box_restart(box);
    assert_int_equal(box->found.next_seq, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
        TEST(a_folder_deleted_while_running_is_made_again_and_locked),
        TEST(files_deleted_while_running_are_noticed),
        TEST(an_acknowledged_segment_that_can_not_be_deleted_is_not_offered_again),
        TEST(a_failed_rename_leaves_the_segment_active),
        TEST(a_file_system_that_can_not_refuse_to_replace_is_looked_at_first),
        TEST(the_newest_segment_stays_while_no_part_says_where_numbering_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
