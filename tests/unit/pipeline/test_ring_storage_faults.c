/* The ring's file when the kernel refuses: what passes is tried again, the rest is plain memory. */
#include "fault_calls.h"
#include "ring_box.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int setup(void **state)
{
    fault_reset();
    return ring_box_setup(state);
}

static int teardown(void **state)
{
    fault_reset();
    return ring_box_teardown(state);
}

// Records 1..3 in a ring whose process was killed.
static void leave_records(struct ring_box *box)
{
    ring_box_open(box);
    ring_box_push(box, 1, 3);
    ring_box_kill(box);
}

/* ---- a ring that is there ---- */

struct look {
    enum fault_call call;
    unsigned nth;
};

// Each call that looks at a ring with records, in their order.
static const struct look looks[] = {
    {CALL_OPEN, 1},  {CALL_FSTAT, 1}, {CALL_FSTATFS, 1}, {CALL_OPENAT, 1}, {CALL_FLOCK, 1},
    {CALL_FSTAT, 2}, {CALL_PREAD, 1}, {CALL_FSTAT, 3},   {CALL_MMAP, 1},
};

static void a_look_that_fails_once_loses_no_record(void **state)
{
    struct ring_box *box = *state;
    leave_records(box);
    for (size_t i = 0; i < COUNT(looks); i++) {
        fault_reset();
        fault_arm(looks[i].call, looks[i].nth, EMFILE, false);
        ring_box_open(box);
        assert_int_equal(fault_fired(), 1);
        assert_true(box->storage.survives);
        assert_false(box->storage.left_behind);
        ring_box_assert_waiting(box, 1, 3);
        ring_box_kill(box);
    }
}

static void a_look_that_fails_for_ever_says_that_records_may_be_left_behind(void **state)
{
    struct ring_box *box = *state;
    leave_records(box);
    for (size_t i = 0; i < COUNT(looks); i++) {
        fault_reset();
        fault_arm(looks[i].call, looks[i].nth, ENOMEM, true);
        ring_box_open(box);
        assert_true(fault_fired() >= 1);
        assert_false(box->storage.survives);
        assert_true(box->storage.left_behind);
        ring_storage_close(&box->storage);
    }
    fault_reset();
    ring_box_open(box);
    ring_box_assert_waiting(box, 1, 3);
}

static void a_ring_that_can_not_be_asked_about_may_hold_records(void **state)
{
    struct ring_box *box = *state;
    fault_arm(CALL_OPEN, 1, EMFILE, true);
    fault_arm(CALL_LSTAT, 1, EACCES, true);
    ring_box_open(box);
    assert_true(box->storage.left_behind);
}

static void no_ring_leaves_nothing_behind_whatever_fails(void **state)
{
    struct ring_box *box = *state;
    fault_arm(CALL_OPEN, 1, EMFILE, true);
    ring_box_open(box);
    assert_false(box->storage.survives);
    assert_false(box->storage.left_behind);
}

static void a_ring_that_another_process_has_is_left_to_it(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    ring_box_push(box, 1, 3);
    struct ring_storage second;
    assert_int_equal(ring_storage_open(&second, &box->config), 0);
    assert_false(second.survives);
    assert_true(second.left_behind);
    assert_non_null(strstr(second.description, "another process has the ring"));
    ring_storage_close(&second);
    ring_box_assert_waiting(box, 1, 3);
}

/* ---- places that are none ---- */

static void a_folder_that_is_not_there_for_us_is_not_tried_again(void **state)
{
    static const struct {
        int error;
        const char *because;
    } refusals[] = {
        {ENOENT, "can't be used"},
        {EACCES, "can't be used"},
        {ENOTDIR, "in the way"},
        {ELOOP, "in the way"},
    };
    struct ring_box *box = *state;
    leave_records(box);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        fault_reset();
        fault_arm(CALL_OPEN, 1, refusals[i].error, true);
        ring_box_open(box);
        assert_int_equal(fault_count(CALL_OPEN), 1);
        assert_false(box->storage.survives);
        assert_false(box->storage.left_behind);
        assert_non_null(strstr(box->storage.description, refusals[i].because));
        ring_storage_close(&box->storage);
    }
}

static void a_name_that_holds_no_file_is_replaced(void **state)
{
    // What opening a link, a folder or a socket ends with.
    static const int errors[] = {ELOOP, EISDIR, ENXIO};
    struct ring_box *box = *state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        leave_records(box);
        fault_arm(CALL_OPENAT, 1, errors[i], false);
        ring_box_open(box);
        assert_true(box->storage.survives);
        assert_false(box->storage.left_behind);
        assert_int_equal(ring_box_recover(box, 0).waiting, 0);
        ring_storage_close(&box->storage);
        fault_reset();
    }
}

static void a_socket_of_the_rings_name_is_replaced(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    char path[SCRATCH_PATH_MAX + 100];
    snprintf(path, sizeof path, "%s", ring_box_file(box));
    ring_storage_close(&box->storage);
    assert_int_equal(mknod(path, S_IFSOCK | 0600, 0), 0);
    ring_box_open(box);
    assert_true(box->storage.survives);
}

static void a_file_shorter_than_a_header_is_made_anew(void **state)
{
    struct ring_box *box = *state;
    leave_records(box);
    ring_box_open(box);
    char path[SCRATCH_PATH_MAX + 100];
    snprintf(path, sizeof path, "%s", ring_box_file(box));
    ring_box_kill(box);
    assert_int_equal(truncate(path, 10), 0);
    ring_box_open(box);
    assert_true(box->storage.survives);
    assert_true(box->storage.left_behind);
    assert_int_equal(ring_box_recover(box, 0).waiting, 0);
}

static void ramfs_is_memory_and_a_disk_is_not(void **state)
{
    struct ring_box *box = *state;
    fault_file_system(RAMFS_MAGIC);
    ring_box_open(box);
    assert_true(box->storage.survives);
    ring_storage_close(&box->storage);
    fault_file_system(EXT4_SUPER_MAGIC);
    ring_box_assert_plain(box, "not on tmpfs");
}

static void a_path_too_long_for_the_kernel_is_said_to_be(void **state)
{
    struct ring_box *box = *state;
    char dir[PATH_MAX];
    memset(dir, 'd', sizeof dir - 1);
    dir[0] = '/';
    dir[sizeof dir - 1] = '\0';
    box->config.dir = dir;
    ring_box_assert_plain(box, "too long");
}

static void a_spool_reached_by_a_link_has_the_same_ring(void **state)
{
    struct ring_box *box = *state;
    char link[SCRATCH_PATH_MAX + 8];
    snprintf(link, sizeof link, "%s/link", box->dir);
    assert_int_equal(symlink(box->dir, link), 0);
    box->config.spool_dir = box->dir;
    leave_records(box);
    box->config.spool_dir = link;
    ring_box_open(box);
    ring_box_assert_waiting(box, 1, 3);
}

/* ---- a ring that is made ---- */

static void a_ring_is_made_in_spite_of_a_hiccup(void **state)
{
    // the second openat makes the file, the first found none
    static const struct look steps[] = {
        {CALL_OPENAT, 2}, {CALL_FLOCK, 1}, {CALL_MMAP, 1}, {CALL_RENAMEAT, 1}};
    struct ring_box *box = *state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        fault_reset();
        fault_arm(steps[i].call, steps[i].nth, EINTR, false);
        ring_box_open(box);
        assert_int_equal(fault_fired(), 1);
        assert_true(box->storage.survives);
        ring_storage_close(&box->storage); // empty: deleted
    }
}

static void a_ring_that_can_not_be_made_leaves_no_file(void **state)
{
    static const struct {
        enum fault_call call;
        int error;
        const char *because;
    } refusals[] = {
        {CALL_PWRITE, ENOSPC, "no space"},
        {CALL_RENAMEAT, EROFS, "can't be made"},
        {CALL_FLOCK, ENOLCK, "can't be made"},
    };
    struct ring_box *box = *state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        fault_reset();
        fault_arm(refusals[i].call, 1, refusals[i].error, true);
        ring_box_assert_plain(box, refusals[i].because);
        assert_false(box->storage.left_behind);
        assert_int_equal(rmdir(ring_box_folder(box)), 0); // nothing in it
    }
}

static void an_interrupted_fill_goes_on(void **state)
{
    struct ring_box *box = *state;
    fault_arm(CALL_PWRITE, 1, EINTR, false);
    ring_box_open(box);
    assert_int_equal(fault_fired(), 1);
    struct stat st;
    assert_int_equal(stat(ring_box_file(box), &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 >= box->storage.size);
}

static void something_that_can_not_be_taken_away_is_named(void **state)
{
    struct ring_box *box = *state;
    leave_records(box);
    box->config.boot_id = RING_BOX_BOOT + 1; // so what is there is of no use
    fault_arm(CALL_UNLINKAT, 1, EPERM, true);
    ring_box_assert_plain(box, "in the way");
}

static void without_any_memory_the_ring_does_not_open(void **state)
{
    struct ring_box *box = *state;
    fault_arm(CALL_MMAP, 1, ENOMEM, true);
    fault_arm(CALL_MMAP_PLAIN, 1, ENOMEM, true);
    assert_int_equal(ring_storage_open(&box->storage, &box->config), -ENOMEM);
    fault_reset();
    ring_box_open(box);
    assert_true(box->storage.survives);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_look_that_fails_once_loses_no_record),
        TEST(a_look_that_fails_for_ever_says_that_records_may_be_left_behind),
        TEST(a_ring_that_can_not_be_asked_about_may_hold_records),
        TEST(no_ring_leaves_nothing_behind_whatever_fails),
        TEST(a_ring_that_another_process_has_is_left_to_it),
        TEST(a_folder_that_is_not_there_for_us_is_not_tried_again),
        TEST(a_name_that_holds_no_file_is_replaced),
        TEST(a_socket_of_the_rings_name_is_replaced),
        TEST(a_file_shorter_than_a_header_is_made_anew),
        TEST(ramfs_is_memory_and_a_disk_is_not),
        TEST(a_path_too_long_for_the_kernel_is_said_to_be),
        TEST(a_spool_reached_by_a_link_has_the_same_ring),
        TEST(a_ring_is_made_in_spite_of_a_hiccup),
        TEST(a_ring_that_can_not_be_made_leaves_no_file),
        TEST(an_interrupted_fill_goes_on),
        TEST(something_that_can_not_be_taken_away_is_named),
        TEST(without_any_memory_the_ring_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
