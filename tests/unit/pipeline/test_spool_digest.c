/*
 * What the spool says of a segment's bytes, against the bytes in the file.
 */
#include "fault_calls.h"
#include "spool_box.h"
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int open_box(void **state)
{
    fault_reset();
    return box_setup(state) == 0 ? box_open(*state) : -1;
}

static int close_box(void **state)
{
    fault_reset();
    return box_teardown(state);
}

static void md5_of_file(const char *path, uint8_t md5[MD5_BYTES])
{
    static char bytes[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t size = read(fd, bytes, sizeof bytes);
    assert_in_range(size, 1, sizeof bytes - 1);
    close(fd);
    struct md5_state all;
    md5_begin(&all);
    md5_add(&all, bytes, (size_t)size);
    assert_int_equal(md5_end(&all, md5), 0);
}

// The sealed segments whose MD5 is known; each of them is that of the file.
static unsigned count_known(struct box *box)
{
    unsigned count = 0;
    struct spool_segment segment = {.number = 0};
    while (spool_next_sealed(box->spool, segment.number, &segment)) {
        uint8_t said[MD5_BYTES];
        uint8_t real[MD5_BYTES];
        if (spool_segment_md5(box->spool, &segment, said)) {
            md5_of_file(box_path(box, segment.name), real);
            assert_memory_equal(said, real, MD5_BYTES);
            count++;
        }
    }
    return count;
}

static void what_was_appended_committed_and_sealed_is_known(void **state)
{
    struct box *box = *state;
    box_put_sealed(box, 1, 1); // header and rows in one write
    box_put(box, 2, 10);
    assert_int_equal(box_append(box, 11, 20), 0);
    assert_int_equal(box_append(box, 21, 21), 0);
    box_put_sealed(box, 22, 300);
    assert_int_equal(box_look(box)->sealed_files, 2);
    assert_int_equal(count_known(box), 2);
}

static void counting_follows_the_commits_in_pieces(void **state)
{
    struct box *box = *state;
    assert_false(spool_count_digest(box->spool)); // nothing there
    assert_int_equal(box_append(box, 1, 400), 0);
    assert_false(spool_count_digest(box->spool)); // nothing committed
    assert_int_equal(spool_commit(box->spool), 0);
    unsigned pieces = 1;
    while (spool_count_digest(box->spool)) {
        pieces++;
    }
    assert_in_range(pieces, 2, 100);
    box_put_sealed(box, 401, 500);
    assert_int_equal(count_known(box), 1);
}

static void reads_that_are_interrupted_go_on(void **state)
{
    struct box *box = *state;
    box_put(box, 1, 10);
    fault_arm(CALL_PREAD, 1, EINTR, false);
    box_put_sealed(box, 11, 400);
    assert_int_equal(fault_fired(), 1);
    assert_int_equal(count_known(box), 1);
}

static void a_segment_that_can_not_be_read_back_is_not_known(void **state)
{
    struct box *box = *state;
    box_put(box, 1, 10);
    fault_arm(CALL_PREAD, 1, EIO, false);
    assert_false(spool_count_digest(box->spool));
    assert_int_equal(fault_fired(), 1);
    box_put_sealed(box, 11, 20);
    assert_int_equal(box_look(box)->sealed_files, 1);
    assert_int_equal(count_known(box), 0);
    box_put_sealed(box, 21, 30); // the next one is
    assert_int_equal(count_known(box), 1);
}

static void a_segment_that_somebody_cut_and_filled_up_is_not_known(void **state)
{
    struct box *box = *state;
    struct spool_active *active = &box->spool->active;
    box_put(box, 1, 10);
    assert_int_equal(ftruncate(active->fd, 0), 0);
    assert_false(spool_count_digest(box->spool));
    assert_int_equal(ftruncate(active->fd, (off_t)active->size), 0);
    assert_int_equal(spool_seal(box->spool), 0);
    struct spool_segment segment;
    uint8_t md5[MD5_BYTES];
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    assert_false(spool_segment_md5(box->spool, &segment, md5));
}

static void a_part_that_goes_on_after_a_restart_is_known(void **state)
{
    struct box *box = *state;
    box_put_sealed(box, 1, 10);
    box_restart(box); // goes on with the .part that has no rows yet
    box_put_sealed(box, 11, 20);
    assert_int_equal(box_look(box)->sealed_files, 2);
    assert_int_equal(count_known(box), 1);
}

static void rows_that_were_dropped_do_not_count(void **state)
{
    struct box *box = *state;
    box_put(box, 1, 50);
    assert_int_equal(box_append(box, 51, 60), 0); // good, and dropped with the next ones
    fault_fill_disk_after(100);
    assert_int_equal(box_append(box, 61, 70), -ENOSPC);
    fault_reset();
    box_put_sealed(box, 51, 80);
    box_assert_rows(box, 1, 80);
    assert_int_equal(box_look(box)->sealed_files, 1);
    assert_int_equal(count_known(box), 1);
}

static void the_first_rows_that_were_dropped_do_not_count(void **state)
{
    struct box *box = *state;
    fault_fill_disk_after(100);
    assert_int_equal(box_append(box, 1, 10), -ENOSPC);
    fault_fill_disk_after(10000);
    assert_int_equal(box_append(box, 1, 10), 0);
    fault_fill_disk_after(100);
    assert_int_equal(box_append(box, 11, 20), -ENOSPC); // nothing was ever committed
    fault_reset();
    box_put_sealed(box, 1, 30);
    box_assert_rows(box, 1, 30);
    assert_int_equal(count_known(box), 1);
}

static void a_write_repeated_after_an_eviction_counts_once(void **state)
{
    struct box *box = *state;
    box_put_sealed(box, 1, 20);
    box_put(box, 21, 30);
    fault_fill_disk_once_after(100); // torn; then the eviction made room
    box_put_sealed(box, 31, 40);
    assert_int_equal(fault_fired(), 1);
    box_assert_rows(box, 21, 40);
    assert_int_equal(count_known(box), 1);
}

static void a_short_write_that_goes_on_counts_once(void **state)
{
    struct box *box = *state;
    fault_fill_disk_after(1 << 20);
    box_put(box, 1, 10);
    fault_fill_disk_after(100);
    assert_int_equal(box_append(box, 11, 20), -ENOSPC);
    fault_fill_disk_after(1 << 20);
    box_put_sealed(box, 11, 20);
    assert_int_equal(count_known(box), 1);
}

static void after_a_failed_sync_only_the_new_segment_is_known(void **state)
{
    struct box *box = *state;
    box_put(box, 1, 10);
    assert_int_equal(box_append(box, 11, 20), 0);
    fault_arm(CALL_FDATASYNC, 1, EIO, false);
    assert_int_equal(spool_commit(box->spool), -EIO);
    box_put_sealed(box, 11, 20);
    box_assert_rows(box, 1, 20);
    assert_int_equal(box_look(box)->sealed_files, 2); // the first by recovery
    assert_int_equal(count_known(box), 1);
}

static void a_segment_that_got_another_number_is_known_under_that(void **state)
{
    struct box *box = *state;
    box_put(box, 1, 10);
    box_write_file(box, "0000000001.csv", csv_header, strlen(csv_header));
    assert_int_equal(spool_seal(box->spool), 0);
    assert_int_equal(box_look(box)->sealed_files, 2);
    assert_int_equal(count_known(box), 1);
}

static void a_seal_that_failed_and_went_on_is_known_in_whole(void **state)
{
    struct box *box = *state;
    box_put(box, 1, 10);
    fault_arm(CALL_RENAMEAT2, 1, EIO, false);
    assert_int_equal(spool_seal(box->spool), -EIO);
    box_put_sealed(box, 11, 20);
    assert_int_equal(box_look(box)->sealed_files, 1);
    assert_int_equal(count_known(box), 1);
}

static void what_a_former_run_sealed_is_not_known(void **state)
{
    struct box *box = *state;
    box_put_sealed(box, 1, 10);
    box_put(box, 11, 20);
    box_restart(box); // seals the .part that it finds
    assert_int_equal(box_look(box)->sealed_files, 2);
    assert_int_equal(count_known(box), 0);
    box_put_sealed(box, 21, 30);
    assert_int_equal(count_known(box), 1);
}

static void the_newest_are_known_and_older_ones_forgotten(void **state)
{
    struct box *box = *state;
    for (uint64_t seq = 1; seq <= SPOOL_DIGESTS_MAX + 3; seq++) {
        box_put_sealed(box, seq, seq);
        assert_int_equal(count_known(box), seq < SPOOL_DIGESTS_MAX ? seq : SPOOL_DIGESTS_MAX);
    }
    struct spool_segment oldest;
    uint8_t md5[MD5_BYTES];
    assert_true(spool_next_sealed(box->spool, 0, &oldest));
    assert_false(spool_segment_md5(box->spool, &oldest, md5));
}

static void a_segment_of_another_size_is_not_known(void **state)
{
    struct box *box = *state;
    struct spool_segment segment;
    uint8_t md5[MD5_BYTES];
    box_put_sealed(box, 1, 10);
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    assert_true(spool_segment_md5(box->spool, &segment, md5));
    segment.size--;
    assert_false(spool_segment_md5(box->spool, &segment, md5));
}

static void what_changes_on_the_disk_keeps_the_md5_of_what_was_written(void **state)
{
    struct box *box = *state;
    struct spool_segment segment;
    uint8_t before[MD5_BYTES];
    uint8_t said[MD5_BYTES];
    uint8_t real[MD5_BYTES];
    box_put_sealed(box, 1, 10);
    assert_true(spool_next_sealed(box->spool, 0, &segment));
    md5_of_file(box_path(box, segment.name), before);
    int fd = open(box_path(box, segment.name), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "?", 1, (off_t)segment.size - 2), 1);
    close(fd);
    md5_of_file(box_path(box, segment.name), real);
    assert_true(spool_segment_md5(box->spool, &segment, said));
    assert_memory_equal(said, before, MD5_BYTES);
    assert_memory_not_equal(said, real, MD5_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_was_appended_committed_and_sealed_is_known),
        TEST(counting_follows_the_commits_in_pieces),
        TEST(reads_that_are_interrupted_go_on),
        TEST(a_segment_that_can_not_be_read_back_is_not_known),
        TEST(a_segment_that_somebody_cut_and_filled_up_is_not_known),
        TEST(a_part_that_goes_on_after_a_restart_is_known),
        TEST(rows_that_were_dropped_do_not_count),
        TEST(the_first_rows_that_were_dropped_do_not_count),
        TEST(a_write_repeated_after_an_eviction_counts_once),
        TEST(a_short_write_that_goes_on_counts_once),
        TEST(after_a_failed_sync_only_the_new_segment_is_known),
        TEST(a_segment_that_got_another_number_is_known_under_that),
        TEST(a_seal_that_failed_and_went_on_is_known_in_whole),
        TEST(what_a_former_run_sealed_is_not_known),
        TEST(the_newest_are_known_and_older_ones_forgotten),
        TEST(a_segment_of_another_size_is_not_known),
        TEST(what_changes_on_the_disk_keeps_the_md5_of_what_was_written),
    };
    return cmocka_run_group_tests_name("spool_digest", tests, NULL, NULL);
}
