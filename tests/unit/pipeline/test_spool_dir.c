/* The directory: walking it, making it, opening files in it, setting others' things aside. */
#include "fault_calls.h"
#include "spool_box.h"
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- walking and making ---- */

static void a_folder_that_was_deleted_reads_as_empty_and_a_broken_one_as_an_error(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    static const struct {
        int error;
        int told;
    } cases[] = {{ENOENT, 0}, {EIO, -EIO}};
    for (size_t i = 0; i < 2; i++) {
        struct spool_walk walk;
        spool_walk_open(&walk, box->spool->dir_fd);
        fault_arm(CALL_GETDENTS, 1, cases[i].error, false);
        assert_null(spool_walk_next(&walk));
        assert_int_equal(walk.error, cases[i].told);
        spool_walk_close(&walk);
    }
}

static void a_folder_that_another_made_first_is_taken(void **state)
{
    struct box *box = *state;
    assert_int_equal(mkdir(box->dir, 0700), 0);
    fault_reset(); // that was not the spool's
    // The first open is /dev/null; the second finds nothing, and then it is there.
    fault_arm(CALL_OPEN, 2, ENOENT, false);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(fault_count(CALL_MKDIR), 1);
}

static void a_parent_that_another_made_first_is_taken(void **state)
{
    struct box *box = *state;
    // The parent is missing at the first mkdir and there at the second.
    fault_arm(CALL_MKDIR, 1, ENOENT, false);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(fault_count(CALL_MKDIR), 3);
}

static void a_missing_parent_is_made_or_the_reason_told(void **state)
{
    static const struct {
        unsigned nth; /* mkdir: the folder, its parent, the folder */
        int error;
        int result;
    } cases[] = {{2, EACCES, -EACCES}, {3, EACCES, -EACCES}, {3, EEXIST, -ENOENT}, {9, 0, 0}};
    struct box *box = *state;
    static char dir[PATH_MAX];
    char parent[PATH_MAX];
    assert_true((size_t)snprintf(parent, sizeof parent, "%s-parent", box->dir) < sizeof parent);
    assert_true((size_t)snprintf(dir, sizeof dir, "%.4000s/spool", parent) < sizeof dir);
    box->config.dir = dir;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fault_reset();
        fault_arm(CALL_MKDIR, cases[i].nth, cases[i].error, false);
        assert_int_equal(box_open(box), cases[i].result);
        (void)rmdir(parent); // left empty by those that failed
    }
}

static void a_folder_without_a_parent_to_make_is_an_error(void **state)
{
    struct box *box = *state;
    static const char *const names[] = {"no-such-spool", "/no-such-spool"};
    for (size_t i = 0; i < 2; i++) {
        box->config.dir = names[i];
        fault_reset();
        fault_arm(CALL_MKDIR, 1, ENOENT, false);
        assert_int_equal(box_open(box), -ENOENT);
        assert_int_equal(fault_count(CALL_MKDIR), 1);
    }
    box->config.dir = box->dir;
}

static void a_folder_that_can_not_be_synced_has_nothing_more_to_promise(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box->spool->dir_dirty = true;
    fault_arm(CALL_FSYNC, 1, EIO, false);
    spool_sync_dir(box->spool);
    assert_true(box->spool->dir_dirty);
    fault_arm(CALL_FSYNC, 1, EINVAL, false);
    spool_sync_dir(box->spool);
    assert_false(box->spool->dir_dirty);
}

/* ---- files ---- */

static void become_fifo(void *ctx)
{
    const char *path = ctx;
    (void)unlink(path);
    (void)mkfifo(path, 0600);
}

static void a_file_that_becomes_something_else_is_not_opened(void **state)
{
    struct box *box = *state;
    uint64_t size;
    char path[PATH_MAX];
    assert_int_equal(box_open(box), 0);
    box_write_file(box, "file", "x", 1);
    snprintf(path, sizeof path, "%s", box_path(box, "file"));
    int fd = spool_open_regular(box->spool->dir_fd, "file", O_RDONLY, &size);
    assert_true(fd >= 0);
    close(fd);
    // A link, since it was looked at.
    fault_arm(CALL_OPENAT, 1, ELOOP, false);
    assert_int_equal(spool_open_regular(box->spool->dir_fd, "file", O_RDONLY, &size), -EBADMSG);
    fault_before(CALL_OPENAT, become_fifo, path);
    assert_int_equal(spool_open_regular(box->spool->dir_fd, "file", O_RDONLY, &size), -EBADMSG);
}

static void a_rename_that_can_not_refuse_looks_first(void **state)
{
    static const int errors[] = {EINVAL, ENOSYS};
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    for (size_t i = 0; i < 2; i++) {
        box_write_file(box, "from", "x", 1);
        box_write_file(box, "taken", "y", 1);
        fault_arm(CALL_RENAMEAT2, 1, errors[i], true);
        assert_int_equal(spool_rename(box->spool, "from", "taken"), -EEXIST);
        fault_arm(CALL_RENAMEAT, 1, EIO, false);
        assert_int_equal(spool_rename(box->spool, "from", "free"), -EIO);
        assert_int_equal(spool_rename(box->spool, "from", "free"), 0);
        fault_reset();
        assert_int_equal(unlink(box_path(box, "free")), 0);
    }
}

/* ---- bad/ ---- */

static void bad_that_is_a_link_is_moved_away_and_made(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_write_file(box, SPOOL_BAD_DIR, "x", 1);
    box_write_file(box, "stranger", "x", 1);
    // Some file systems say so where others say ENOTDIR.
    fault_arm(CALL_OPENAT, 1, ELOOP, false);
    assert_true(spool_quarantine(box->spool, "stranger"));
    assert_int_equal(box_count(box, SPOOL_BAD_DIR), 1);
}

static void bad_that_can_not_be_had_leaves_the_stranger_where_it_is(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_write_file(box, "stranger", "x", 1);
    fault_arm(CALL_MKDIRAT, 1, EROFS, false);
    assert_false(spool_quarantine(box->spool, "stranger"));
    box_write_file(box, SPOOL_BAD_DIR, "x", 1);
    fault_arm(CALL_RENAMEAT2, 1, EROFS, false);
    assert_false(spool_quarantine(box->spool, "stranger"));
    assert_true(spool_quarantine(box->spool, "stranger"));
    box_write_file(box, "stranger", "x", 1);
    fault_arm(CALL_RENAMEAT2, 1, EROFS, false); // now the move itself
    assert_false(spool_quarantine(box->spool, "stranger"));
}

static void a_name_too_long_for_a_number_stays_when_it_is_taken(void **state)
{
    struct box *box = *state;
    char name[NAME_MAX + 1];
    memset(name, 'x', NAME_MAX);
    name[NAME_MAX] = '\0';
    assert_int_equal(box_open(box), 0);
    box_write_file(box, name, "1", 1);
    assert_true(spool_quarantine(box->spool, name));
    box_write_file(box, name, "2", 1);
    assert_false(spool_quarantine(box->spool, name));
}

static void a_full_bad_is_counted_at_the_next_start_too(void **state)
{
    struct box *box = *state;
    char name[32];
    assert_int_equal(box_open(box), 0);
    assert_int_equal(mkdir(box_path(box, SPOOL_BAD_DIR), 0700), 0);
    for (int i = 0; i < 70; i++) {
        snprintf(name, sizeof name, SPOOL_BAD_DIR "/old%d", i);
        box_write_file(box, name, "x", 1);
    }
    box_restart(box);
    box_write_file(box, "stranger", "x", 1);
    assert_false(spool_quarantine(box->spool, "stranger")); // after a count
    assert_false(spool_quarantine(box->spool, "stranger")); // by the count
    assert_int_equal(box_count(box, SPOOL_BAD_DIR), 70);
    // What has a name of ours holds rows: there is always room for it.
    box_write_file(box, "0000000900-1a2b3c4d-1.csv.part", "x", 1);
    assert_true(spool_quarantine(box->spool, "0000000900-1a2b3c4d-1.csv.part"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_that_was_deleted_reads_as_empty_and_a_broken_one_as_an_error),
        TEST(a_folder_that_another_made_first_is_taken),
        TEST(a_parent_that_another_made_first_is_taken),
        TEST(a_missing_parent_is_made_or_the_reason_told),
        TEST(a_folder_without_a_parent_to_make_is_an_error),
        TEST(a_folder_that_can_not_be_synced_has_nothing_more_to_promise),
        TEST(a_file_that_becomes_something_else_is_not_opened),
        TEST(a_rename_that_can_not_refuse_looks_first),
        TEST(bad_that_is_a_link_is_moved_away_and_made),
        TEST(bad_that_can_not_be_had_leaves_the_stranger_where_it_is),
        TEST(a_name_too_long_for_a_number_stays_when_it_is_taken),
        TEST(a_full_bad_is_counted_at_the_next_start_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
