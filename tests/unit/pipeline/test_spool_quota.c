/* Quota and free space: the oldest goes first, and the data say what went. */
#include "core/csv.h"
#include "fault_calls.h"
#include "spool_box.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t row_size(void)
{
    char row[CSV_ROW_MAX];
    return box_row(row, BOX_BOOT, 1000);
}

static struct spool_stats stats_of(struct box *box)
{
    struct spool_stats stats;
    spool_get_stats(box->spool, &stats);
    return stats;
}

static void the_quota_evicts_the_oldest_and_tells_their_exact_range(void **state)
{
    struct box *box = *state;
    box->config.quota_bytes = 420 * row_size();
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 1000; seq += 100) {
        box_put_sealed(box, seq, seq + 99);
    }
    const struct box_view *view = box_look(box);
    assert_true(view->sealed_bytes <= box->config.quota_bytes);
    assert_int_equal(view->sealed_files, 4);
    box_assert_rows(box, 601, 1000);
    uint64_t first;
    uint64_t last;
    assert_true(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(first, 1);
    assert_int_equal(last, 600);
    assert_false(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(stats_of(box).evicted_rows, 600);
    assert_int_equal(stats_of(box).evicted_segments, 6);
    assert_int_equal(stats_of(box).sealed_bytes, view->sealed_bytes);
}

static void an_eviction_is_told_until_the_row_that_tells_it_is_durable(void **state)
{
    struct box *box = *state;
    box->config.quota_bytes = 250 * row_size();
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 100);
    box_put_sealed(box, 101, 200);
    box_put(box, 201, 300);
    uint64_t first;
    uint64_t last;
    // Killed before anybody asked, and again after it was taken but not committed.
    for (int i = 0; i < 2; i++) {
        assert_int_equal(box_look(box)->note_files, 1);
        box_restart(box);
        assert_true(spool_take_evicted(box->spool, &first, &last));
        assert_int_equal(first, 1);
        assert_int_equal(last, 100);
    }
    // A failed commit: offered again.
    fault_arm(CALL_FDATASYNC, 1, EIO, false);
    assert_int_equal(box_append(box, 301, 301), 0);
    assert_int_equal(spool_commit(box->spool), -EIO);
    assert_true(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(last, 100);
    // A failed append: likewise.
    fault_arm(CALL_WRITEV, 1, EIO, false);
    assert_int_equal(box_append(box, 301, 301), -EIO);
    assert_true(spool_take_evicted(box->spool, &first, &last));
    box_put(box, 301, 301);
    assert_false(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(box_look(box)->note_files, 0);
    box_restart(box);
    assert_false(spool_take_evicted(box->spool, &first, &last));
}

static void ranges_with_a_hole_between_are_told_one_by_one(void **state)
{
    struct box *box = *state;
    box->config.quota_bytes = 450 * row_size();
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 301; seq += 100) {
        box_put_sealed(box, seq, seq + 99);
    }
    // The second segment is uploaded, and the third is just being read.
    struct spool_segment segment;
    assert_true(spool_next_sealed(box->spool, 1, &segment));
    assert_int_equal(spool_remove(box->spool, &segment), 0);
    assert_true(spool_next_sealed(box->spool, 2, &segment));
    int fd;
    assert_int_equal(spool_open_segment(box->spool, &segment, &fd), 0);
    close(fd);
    for (uint64_t seq = 401; seq <= 601; seq += 100) {
        box_put_sealed(box, seq, seq + 99);
    }
    uint64_t first;
    uint64_t last;
    assert_true(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(first, 1);
    assert_int_equal(last, 100);
    assert_true(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(first, 301);
    assert_int_equal(last, 400);
    assert_false(spool_take_evicted(box->spool, &first, &last));
    const struct box_view *view = box_look(box);
    assert_int_equal(view->times[201], 1); // pinned
    assert_int_equal(view->times[700], 1);

    spool_unpin(box->spool);
    box_put(box, 701, 800);
    assert_true(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(first, 201);
    assert_int_equal(last, 300);
}

// Takes what there is to tell, at most COUNT ranges, and commits the row of SEQ that tells it;
// marks the seqs told. The number of ranges.
static unsigned tell(struct box *box, uint64_t seq, unsigned count, unsigned char *told)
{
    uint64_t first;
    uint64_t last;
    unsigned ranges = 0;
    while (ranges < count && spool_take_evicted(box->spool, &first, &last)) {
        for (ranges++; first <= last; first++) {
            told[first]++;
        }
    }
    box_put(box, seq, seq);
    return ranges;
}

// Twelve segments of thirty rows with a seq missing between each, all of them evicted.
static void evict_twelve_with_holes(struct box *box)
{
    box->config.quota_bytes = 500 * row_size();
    box->config.keep_free_bytes = 0;
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 12 * 31; seq += 31) {
        box_put_sealed(box, seq, seq + 29);
    }
    fault_free_bytes(0);
    box->config.keep_free_bytes = 1;
    box_restart(box);
    for (uint64_t seq = 1000; seq < 1015; seq++) {
        assert_int_equal(box_append(box, seq * 10, seq * 10), 0);
    }
}

static void more_holes_than_places_are_all_told_and_no_row_that_is_there(void **state)
{
    static const unsigned ranges_per_commit[] = {100, 3, 1};
    struct box *box = *state;
    for (size_t i = 0; i < sizeof ranges_per_commit / sizeof ranges_per_commit[0]; i++) {
        unsigned char told[400] = {0};
        uint64_t seq = 11000;
        evict_twelve_with_holes(box);
        unsigned ranges = 0;
        for (unsigned now = 1; now > 0; ranges += now) {
            now = tell(box, seq++, ranges_per_commit[i], told);
        }
        assert_int_equal(ranges, 12);
        for (uint64_t at = 1; at <= 12 * 31; at++) {
            assert_int_equal(told[at], at % 31 != 0);
        }
        assert_int_equal(box_look(box)->note_files, 0);
        box_close(box);
        box_delete(box);
    }
}

static void an_eviction_behind_a_full_list_of_taken_ones_is_told_after_the_commit(void **state)
{
    struct box *box = *state;
    unsigned char told[1100] = {0};
    uint64_t first;
    uint64_t last;
    box->config.quota_bytes = 1050 * row_size();
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 901; seq += 100) {
        box_put_sealed(box, seq, seq + 99);
    }
    // One commit so long that ten segments have to go for it, each of them told of at once.
    for (uint64_t seq = 1001; seq <= 1901; seq += 100) {
        assert_int_equal(box_append(box, seq, seq + 99), 0);
        while (spool_take_evicted(box->spool, &first, &last)) {
            for (; first <= last; first++) {
                told[first]++;
            }
        }
    }
    assert_int_equal(spool_commit(box->spool), 0);
    for (uint64_t seq = 2001; tell(box, seq, 10, told) > 0; seq++) {
    }
    box_restart(box);
    assert_int_equal(box_look(box)->note_files, 0);
    for (uint64_t at = 1; at <= 1000; at++) {
        assert_int_equal(told[at], 1);
    }
}

static void a_full_disk_grows_no_further_and_keeps_the_backlog(void **state)
{
    struct box *box = *state;
    box->config.keep_free_bytes = 16 << 20;
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq <= 1000; seq += 100) {
        box_put_sealed(box, seq, seq + 99);
    }
    uint64_t before = box_look(box)->sealed_bytes;
    fault_free_bytes(15 << 20); // somebody else's doing
    box_put(box, 1001, 1050);
    const struct box_view *view = box_look(box);
    assert_int_equal(view->sealed_files, 9);
    assert_int_equal(view->times[1], 0);
    assert_int_equal(view->times[101], 1);
    assert_true(view->sealed_bytes < before);
    fault_free_bytes(17 << 20);
    box_put(box, 1051, 1100);
    assert_int_equal(box_look(box)->sealed_files, 9);
}

static void with_nothing_to_evict_the_reserve_is_used(void **state)
{
    struct box *box = *state;
    box->config.keep_free_bytes = 16 << 20;
    assert_int_equal(box_open(box), 0);
    fault_free_bytes(1 << 20);
    box_put(box, 1, 50);
    box_assert_rows(box, 1, 50);
}

static void a_write_without_space_evicts_one_and_succeeds(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 100);
    box_put_sealed(box, 101, 200);
    box_put(box, 201, 210);
    fault_arm(CALL_WRITEV, 1, ENOSPC, false);
    box_put(box, 211, 220);
    box_assert_rows(box, 101, 220);
    uint64_t first;
    uint64_t last;
    assert_true(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(last, 100);
}

static void a_disk_that_stays_full_keeps_what_was_committed_and_heals(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 50);
    assert_int_equal(box_append(box, 51, 60), 0);
    fault_fill_disk_after(100); // a short write, then none
    assert_int_equal(box_append(box, 61, 70), -ENOSPC);
    box_assert_rows(box, 1, 50); // back to the last commit
    assert_int_equal(box_append(box, 51, 70), -ENOSPC);
    assert_int_equal(stats_of(box).last_error, -ENOSPC);
    assert_int_equal(stats_of(box).write_errors, 2);
    fault_reset();
    box_put(box, 51, 70);
    box_assert_rows(box, 1, 70);
    assert_int_equal(stats_of(box).last_error, 0);
    assert_int_equal(box_look(box)->headers, 1); // the same segment
}

static void put_row(struct box *box, struct record *record)
{
    char row[CSV_ROW_MAX];
    record->boot_id = BOX_BOOT;
    size_t size = csv_format_row(row, record);
    assert_int_equal(spool_append(box->spool, row, size, record->seq, record->seq), 0);
    assert_int_equal(spool_commit(box->spool), 0);
}

static void what_an_evicted_row_has_told_is_told_again(void **state)
{
    struct box *box = *state;
    box->config.quota_bytes = 250 * row_size();
    assert_int_equal(box_open(box), 0);
    // The ring dropped 21 to 30; 5 to 9 were evicted long ago. Neither row was uploaded.
    put_row(box, &(struct record){.seq = 31, .events = EVENT_DROPPED, .dropped_rows = 10});
    put_row(box, &(struct record){
                     .seq = 32, .events = EVENT_EVICTED, .evicted_first = 5, .evicted_last = 9});
    assert_int_equal(spool_seal(box->spool), 0);
    box_put_sealed(box, 33, 140);
    box_put_sealed(box, 141, 300);
    for (int i = 0; i < 2; i++) {
        uint64_t first;
        uint64_t last;
        assert_true(spool_take_evicted(box->spool, &first, &last));
        assert_int_equal(first, 5);
        assert_int_equal(last, 9);
        assert_true(spool_take_evicted(box->spool, &first, &last));
        assert_int_equal(first, 21);
        assert_int_equal(last, 140);
        assert_false(spool_take_evicted(box->spool, &first, &last));
        box_restart(box); // not committed: told again
    }
}

static void a_kill_between_the_name_and_the_emptying_of_a_note_costs_nothing(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    put_row(box, &(struct record){
                     .seq = 32, .events = EVENT_EVICTED, .evicted_first = 5, .evicted_last = 9});
    assert_int_equal(spool_seal(box->spool), 0);
    char note[PATH_MAX];
    strcpy(note, box_path(box, "0000000001-1a2b3c4d-32-32.evicted"));
    assert_int_equal(rename(box_path(box, "0000000001.csv"), note), 0);
    box_restart(box);
    uint64_t first;
    uint64_t last;
    uint64_t sum = 0;
    while (spool_take_evicted(box->spool, &first, &last)) {
        sum += first * 1000 + last;
    }
    assert_int_equal(sum, 5009 + 32032);
    assert_int_equal(box_look(box)->note_files, 2);
    assert_int_equal(box_look(box)->sealed_files, 0);
    struct stat st;
    assert_int_equal(stat(note, &st), 0);
    assert_int_equal(st.st_size, 0);
}

static void an_unreadable_victim_is_set_aside_and_the_next_one_goes(void **state)
{
    struct box *box = *state;
    box->config.quota_bytes = 250 * row_size();
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 100);
    box_put_sealed(box, 101, 200);
    box_write_file(box, "0000000001.csv", "no rows here", 12);
    box_put(box, 201, 340);
    assert_int_equal(box_look(box)->bad_files, 1);
    uint64_t first;
    uint64_t last;
    assert_true(spool_take_evicted(box->spool, &first, &last));
    assert_int_equal(first, 101);
    assert_int_equal(last, 200);
}

static void segments_deleted_by_others_are_not_counted_for_ever(void **state)
{
    struct box *box = *state;
    box->config.quota_bytes = 250 * row_size();
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 100);
    box_put_sealed(box, 101, 200);
    assert_int_equal(unlink(box_path(box, "0000000001.csv")), 0);
    assert_int_equal(unlink(box_path(box, "0000000002.csv")), 0);
    box_put_sealed(box, 201, 300);
    box_put(box, 301, 400);
    box_assert_rows(box, 201, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
        TEST(the_quota_evicts_the_oldest_and_tells_their_exact_range),
        TEST(an_eviction_is_told_until_the_row_that_tells_it_is_durable),
        TEST(ranges_with_a_hole_between_are_told_one_by_one),
        TEST(more_holes_than_places_are_all_told_and_no_row_that_is_there),
        TEST(an_eviction_behind_a_full_list_of_taken_ones_is_told_after_the_commit),
        TEST(a_full_disk_grows_no_further_and_keeps_the_backlog),
        TEST(with_nothing_to_evict_the_reserve_is_used),
        TEST(a_write_without_space_evicts_one_and_succeeds),
        TEST(a_disk_that_stays_full_keeps_what_was_committed_and_heals),
        TEST(what_an_evicted_row_has_told_is_told_again),
        TEST(a_kill_between_the_name_and_the_emptying_of_a_note_costs_nothing),
        TEST(an_unreadable_victim_is_set_aside_and_the_next_one_goes),
        TEST(segments_deleted_by_others_are_not_counted_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
