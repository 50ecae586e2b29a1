/* The spool on a healthy disk: append, commit, seal, send, delete, and start again. */
#include "core/csv.h"
#include "spool_box.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void a_new_spool_is_private_and_numbering_starts_at_one(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 1);
    assert_int_equal(box->found.durable_below, 1);
    assert_int_equal(box->found.sealed_segments, 0);

    struct stat st;
    assert_int_equal(stat(box->dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    const struct box_view *view = box_look(box);
    assert_string_equal(view->part_name, "0000000001-1a2b3c4d-1.csv.part");
    assert_int_equal(stat(box_path(box, view->part_name), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 0);
}

static void committed_rows_stand_behind_one_header_in_the_part(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box_append(box, 1, 10), 0);
    assert_int_equal(box_append(box, 11, 60), 0);
    assert_int_equal(spool_commit(box->spool), 0);
    box_put(box, 61, 120);
    box_assert_rows(box, 1, 120);
    assert_int_equal(box_look(box)->headers, 1);
    struct spool_segment segment;
    assert_false(spool_next_sealed(box->spool, 0, &segment));
}

static void a_sealed_segment_is_offered_opened_and_removed(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 60);
    struct spool_segment segment;
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    assert_int_equal(segment.number, 1);
    assert_string_equal(segment.name, "0000000001.csv");
    assert_false(spool_next_sealed(box->spool, segment.number, &segment));

    int fd;
    assert_int_equal(spool_open_segment(box->spool, &segment, &fd), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), segment.size);
    close(fd);
    assert_int_equal(spool_remove(box->spool, &segment), 0);
    assert_false(spool_next_sealed(box->spool, 0, &segment));
    const struct box_view *view = box_look(box);
    assert_int_equal(view->sealed_files, 0);
    assert_string_equal(view->part_name, "0000000002-1a2b3c4d-61.csv.part");
}

static void segments_are_offered_oldest_first_over_gaps_in_the_numbers(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 300; seq++) {
        box_put_sealed(box, seq, seq);
    }
    // Leave 1, 2, 150 and 300: the second gap is wider than the numbers tried one by one.
    struct spool_segment segment;
    for (uint64_t after = 0; spool_next_sealed(box->spool, after, &segment);) {
        after = segment.number;
        if (after != 1 && after != 2 && after != 150 && after != 300) {
            assert_int_equal(spool_remove(box->spool, &segment), 0);
        }
    }
    const uint64_t left[] = {1, 2, 150, 300};
    uint64_t after = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_true(spool_next_sealed(box->spool, after, &segment));
        assert_int_equal(segment.number, left[i]);
        after = segment.number;
    }
    assert_false(spool_next_sealed(box->spool, after, &segment));
    struct spool_stats stats;
    spool_get_stats(box->spool, &stats);
    assert_int_equal(stats.sealed_segments, 4);
    assert_int_equal(stats.sealed_bytes, box_look(box)->sealed_bytes);
}

static void sealing_nothing_changes_nothing(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    assert_int_equal(spool_seal(box->spool), 0);
    assert_int_equal(spool_commit(box->spool), 0);
    const struct box_view *view = box_look(box);
    assert_int_equal(view->sealed_files, 0);
    assert_string_equal(view->part_name, "0000000001-1a2b3c4d-1.csv.part");
}

static void closing_seals_and_the_next_start_goes_on_behind_it(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box_append(box, 1, 60), 0);
    box_close(box);
    assert_int_equal(box_look(box)->sealed_files, 1);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 61);
    assert_int_equal(box->found.recovered_rows, 0);
    box_assert_rows(box, 1, 60);
}

static void a_seq_is_never_used_again_though_all_was_uploaded(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 60);
    struct spool_segment segment;
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    assert_int_equal(spool_remove(box->spool, &segment), 0);
    for (int i = 0; i < 3; i++) {
        box_restart(box);
        assert_int_equal(box->found.next_seq, 61);
        assert_string_equal(box_look(box)->part_name, "0000000002-1a2b3c4d-61.csv.part");
    }
    box_put(box, 61, 61);
    assert_int_equal(box_append(box, 61, 62), -EINVAL);
    assert_int_equal(box_append(box, 1, 1), -EINVAL);
}

static void without_its_part_a_spool_reads_the_next_seq_from_the_newest_segment(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 60);
    box_put_sealed(box, 61, 99);
    assert_int_equal(unlink(box_path(box, box_look(box)->part_name)), 0);
    box_restart(box);
    assert_int_equal(box->found.next_seq, 100);
    assert_string_equal(box_look(box)->part_name, "0000000003-1a2b3c4d-100.csv.part");
}

static void a_new_boot_starts_at_one_and_keeps_the_rows_of_the_last(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 60);
    box_kill(box);
    box->config.boot_id = 0xfeedbeef;
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 1);
    assert_int_equal(box->found.recovered_rows, 60);
    assert_string_equal(box_look(box)->part_name, "0000000002-feedbeef-1.csv.part");
    box_assert_rows(box, 1, 60);
    box_put_sealed(box, 1, 5);
    assert_int_equal(box_look(box)->torn_lines, 0);
    assert_int_equal(box_look(box)->sealed_files, 2);
}

static void the_limit_of_a_segment_is_told_in_time(void **state)
{
    struct box *box = *state;
    box->config.segment_max_bytes = 10000;
    assert_int_equal(box_open(box), 0);
    assert_false(spool_wants_seal(box->spool));
    box_put(box, 1, 20);
    assert_false(spool_wants_seal(box->spool));
    box_put(box, 21, 200);
    assert_true(spool_wants_seal(box->spool));
    assert_int_equal(spool_seal(box->spool), 0);
    assert_false(spool_wants_seal(box->spool));
}

static void a_second_process_is_refused_and_the_next_one_is_not(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct spool *second;
        struct spool_recovery found;
        _exit(spool_open(&second, &box->config, &found) == -EBUSY ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct spool *second;
    struct spool_recovery found;
    assert_int_equal(spool_open(&second, &box->config, &found), -EBUSY);
    box_close(box);
    assert_int_equal(box_open(box), 0);
}

static void a_folder_that_can_not_be_is_an_error(void **state)
{
    struct box *box = *state;
    char dir[PATH_MAX];
    strcpy(dir, box->dir);
    strcat(box->dir, "/two/levels");
    assert_int_equal(box_open(box), -ENOENT);
    strcpy(box->dir, dir);
    assert_int_equal(symlink("/tmp", box->dir), 0);
    assert_int_equal(box_open(box), -ENOTDIR); // a link is not followed
    assert_int_equal(unlink(box->dir), 0);
    int fd = open(box->dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(box_open(box), -ENOTDIR);
    assert_int_equal(unlink(box->dir), 0);
}

static void the_parent_folder_is_made_when_it_is_missing(void **state)
{
    struct box *box = *state;
    strcat(box->dir, "/sub");
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 1);
    box_assert_rows(box, 1, 1);
    box_close(box);
    *strrchr(box->dir, '/') = '\0';
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
        TEST(a_new_spool_is_private_and_numbering_starts_at_one),
        TEST(committed_rows_stand_behind_one_header_in_the_part),
        TEST(a_sealed_segment_is_offered_opened_and_removed),
        TEST(segments_are_offered_oldest_first_over_gaps_in_the_numbers),
        TEST(sealing_nothing_changes_nothing),
        TEST(closing_seals_and_the_next_start_goes_on_behind_it),
        TEST(a_seq_is_never_used_again_though_all_was_uploaded),
        TEST(without_its_part_a_spool_reads_the_next_seq_from_the_newest_segment),
        TEST(a_new_boot_starts_at_one_and_keeps_the_rows_of_the_last),
        TEST(the_limit_of_a_segment_is_told_in_time),
        TEST(a_second_process_is_refused_and_the_next_one_is_not),
        TEST(a_folder_that_can_not_be_is_an_error),
        TEST(the_parent_folder_is_made_when_it_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
