/* What a start makes of files in its directory that are not its own. */
#include "fault_calls.h"
#include "spool_box.h"
#include "spool_private.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void what_is_not_ours_goes_to_bad_and_blocks_nothing(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 5);
    box_write_file(box, "notes.txt", "x", 1);
    box_write_file(box, "1.csv", "x", 1);
    box_write_file(box, "0000000000.csv", "x", 1);
    box_write_file(box, "99999999999999999999999.csv", "x", 1);
    box_write_file(box, "0000000009-1A2B3C4D-1.csv.part", "x", 1);
    assert_int_equal(mkdir(box_path(box, "0000000010.csv"), 0700), 0);
    assert_int_equal(mkfifo(box_path(box, "0000000011-1a2b3c4d-9.csv.part"), 0600), 0);
    assert_int_equal(mkfifo(box_path(box, "0000000012.csv"), 0600), 0);
    assert_int_equal(symlink("/etc/passwd", box_path(box, "0000000013-1a2b3c4d-9.csv.part")), 0);
    assert_int_equal(symlink("/etc/passwd", box_path(box, "0000000014.csv")), 0);
    assert_int_equal(symlink("/dev/null", box_path(box, "0000000015-1a2b3c4d-1-2.evicted")), 0);
    box_restart(box);
    assert_int_equal(box->found.bad_files, 11);
    const struct box_view *view = box_look(box);
    assert_int_equal(view->bad_files, 11);
    assert_int_equal(view->other_files, 0);
    assert_int_equal(view->sealed_files, 1);
    box_assert_rows(box, 1, 5);
    // The names were used all the same.
    box_put_sealed(box, 30, 30);
    box_restart(box);
    assert_int_equal(box->found.bad_files, 0);
}

static void the_same_stranger_again_gets_another_name_and_bad_stays_small(void **state)
{
    struct box *box = *state;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(box_open(box), 0);
        box_write_file(box, "stranger", "x", 1);
        box_close(box);
    }
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box_count(box, "bad"), 8);
    assert_int_equal(box_look(box)->other_files, 1); // passed over
    for (int i = 0; i < 200; i++) {
        char file[32];
        snprintf(file, sizeof file, "stranger-%d", i);
        box_write_file(box, file, "x", 1);
    }
    box_restart(box);
    assert_int_equal(box_count(box, "bad"), 64);
    box_put(box, 1, 1);
    box_assert_rows(box, 1, 1);
}

static void a_file_or_link_named_bad_is_moved_out_of_the_way(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    assert_int_equal(symlink("/tmp", box_path(box, "bad")), 0);
    box_write_file(box, "stranger", "x", 1);
    box_restart(box);
    struct stat st;
    assert_int_equal(lstat(box_path(box, "bad"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(access(box_path(box, "bad/stranger"), F_OK), 0);
}

static void a_part_larger_than_the_quota_is_not_read(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    int fd = open(box_path(box, "0000000009-1a2b3c4d-40.csv.part"), O_CREAT | O_WRONLY | O_CLOEXEC,
                  0600);
    assert_int_equal(ftruncate(fd, (off_t)4 << 30), 0);
    close(fd);
    box_restart(box);
    assert_int_equal(box->found.bad_files, 1);
    assert_int_equal(box->found.next_seq, 40); // its name still says what was used
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
        TEST(what_is_not_ours_goes_to_bad_and_blocks_nothing),
        TEST(the_same_stranger_again_gets_another_name_and_bad_stays_small),
        TEST(a_file_or_link_named_bad_is_moved_out_of_the_way),
        TEST(a_part_larger_than_the_quota_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
