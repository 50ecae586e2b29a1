/*
 * A disk that fails: each call once and for ever, with each error, through one busy scenario.
 *
 * The scenario plays the writer and its ring: rows that are not committed are kept and appended
 * again; after a kill they are drained from where recovery says. So whatever fails, as soon as the
 * disk is well again every row must be there exactly once.
 */
#include "core/csv.h"
#include "fault_calls.h"
#include "spool_box.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS  400
#define BATCH 10

struct play {
    struct box *box;
    uint64_t produced;
    uint64_t durable; /* rows up to here were committed */
    unsigned char uploaded[ROWS + 1];
    unsigned char evicted[ROWS + 1];
};

static void flush(struct play *play, bool seal)
{
    struct box *box = play->box;
    if (play->durable == play->produced ||
        box_append(box, play->durable + 1, play->produced) != 0) {
        return;
    }
    // Evictions told by these rows are final only with the commit.
    struct {
        uint64_t first, last;
    } told[16];
    unsigned n = 0;
    while (n < 16 && spool_take_evicted(box->spool, &told[n].first, &told[n].last)) {
        n++;
    }
    if (spool_commit(box->spool) == 0) {
        play->durable = play->produced;
        for (unsigned i = 0; i < n; i++) {
            for (uint64_t seq = told[i].first; seq <= told[i].last && seq <= ROWS; seq++) {
                play->evicted[seq] = 1;
            }
        }
        if (seal) {
            (void)spool_seal(box->spool);
        }
    }
}

// One segment, as the uploader would; what is deleted here counts as stored in the bucket.
static void upload_one(struct play *play)
{
    struct box *box = play->box;
    struct spool_segment segment;
    int fd;
    if (!spool_next_sealed(box->spool, 0, &segment) ||
        spool_open_segment(box->spool, &segment, &fd) != 0) {
        return;
    }
    char line[CSV_ROW_MAX];
    FILE *file = fdopen(fd, "r");
    while (fgets(line, sizeof line, file) != NULL) {
        struct csv_key key;
        if (csv_parse_key(line, strlen(line) - 1, &key) == 0) {
            play->uploaded[key.seq] = 1;
        }
    }
    fclose(file);
    (void)spool_remove(box->spool, &segment);
}

static void run(struct play *play, uint64_t until)
{
    for (int step = 0; play->produced < until; step++) {
        play->produced += BATCH;
        flush(play, step % 4 == 3);
        if (step % 8 == 7) {
            upload_one(play);
        }
    }
}

static bool reopen(struct play *play)
{
    struct box *box = play->box;
    if (box_open(box) != 0) {
        box->spool = NULL;
        return false;
    }
    // The ring: what is not durable comes again.
    if (box->found.durable_below - 1 < play->durable) {
        // Allowed only where recovery itself could not write: then the ring must still have it, and
        // in this play it has everything.
        play->durable = box->found.durable_below - 1;
    }
    if (box->found.durable_below - 1 > play->durable) {
        play->durable = box->found.durable_below - 1;
    }
    return true;
}

static void check(struct play *play, const char *what)
{
    const struct box_view *view = box_look(play->box);
    for (uint64_t seq = 1; seq <= ROWS; seq++) {
        unsigned there = view->times[seq];
        // What could not be read three times running is set aside, never deleted.
        unsigned gone = (unsigned)(play->uploaded[seq] + play->evicted[seq] + view->aside[seq]);
        // A segment that was uploaded and could not be deleted is still there after a kill: the
        // one repetition that is allowed.
        if (there + gone == 0 || there > 1 || (there == 1 && play->evicted[seq])) {
            fail_msg("%s: row %u is there %u times, uploaded %u, evicted %u", what, (unsigned)seq,
                     there, play->uploaded[seq], play->evicted[seq]);
        }
    }
    if (view->torn_lines != 0 || view->part_files != 1) {
        fail_msg("%s: %u torn lines, %u parts", what, view->torn_lines, view->part_files);
    }
}

// 0: the fault never came to pass.
static unsigned play_once(struct box *box, enum fault_call call, unsigned nth, int error,
                          bool forever)
{
    char what[96];
    snprintf(what, sizeof what, "%s call %u fails %s with %s", fault_call_names[call], nth,
             forever ? "for ever" : "once", strerrorname_np(error));
    struct play *play = calloc(1, sizeof *play);
    play->box = box;
    fault_reset();
    fault_arm(call, nth, error, forever);
    if (reopen(play)) {
        run(play, ROWS / 2);
        box_kill(box);
        if (reopen(play)) {
            run(play, ROWS * 3 / 4);
        }
    }
    unsigned fired = fault_fired();
    fault_reset();
    if (box->spool == NULL) {
        assert_true(reopen(play));
    }
    run(play, ROWS);
    flush(play, true);
    check(play, what);
    box_restart(box);
    check(play, what);
    box_close(box);
    free(play);
    box_delete(box);
    return fired;
}

static void sweep(struct box *box, int error, bool forever)
{
    // A quota that evicts on the way, and one that hides nothing by evicting it.
    static const uint64_t quotas[] = {20000, 1 << 20};
    for (int run = 0; run < 2 * CALL_COUNT; run++) {
        box->config.quota_bytes = quotas[run % 2];
        unsigned nth = 1;
        while (play_once(box, (enum fault_call)(run / 2), nth, error, forever) != 0) {
            nth += nth < 40 ? 1 : nth / 8;
        }
    }
}

static const int errors[] = {ENOSPC, EIO, EROFS, EDQUOT, EMFILE};

static void each_call_that_fails_once_costs_no_row(void **state)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        sweep(*state, errors[i], false);
    }
}

static void each_call_that_fails_for_ever_costs_no_row_once_it_works_again(void **state)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        sweep(*state, errors[i], true);
    }
}

static void an_interrupted_call_is_not_a_failure(void **state)
{
    sweep(*state, EINTR, false);
}

static void a_failed_fdatasync_is_never_retried_on_the_same_file(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 10);
    assert_int_equal(box_append(box, 11, 20), 0);
    fault_arm(CALL_FDATASYNC, 1, EIO, false);
    assert_int_equal(spool_commit(box->spool), -EIO);
    unsigned syncs = fault_count(CALL_FDATASYNC);
    assert_int_equal(spool_commit(box->spool), 0); // nothing is appended: nothing to sync
    assert_int_equal(fault_count(CALL_FDATASYNC), syncs);
    box_assert_rows(box, 1, 10); // the doubtful rows are cut
    box_put(box, 11, 20);
    box_assert_rows(box, 1, 20);
    assert_string_equal(box_look(box)->part_name, "0000000002-1a2b3c4d-11.csv.part");
    struct spool_stats stats;
    spool_get_stats(box->spool, &stats);
    assert_int_equal(stats.sync_errors, 1);
}

static void a_poisoned_file_that_can_not_be_cut_is_cut_before_its_rows_come_again(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 10);
    assert_int_equal(box_append(box, 11, 20), 0);
    fault_arm(CALL_FDATASYNC, 1, EIO, false);
    fault_arm(CALL_FTRUNCATE, 1, EROFS, true);
    assert_int_equal(spool_commit(box->spool), -EIO);
    assert_int_equal(box_append(box, 11, 20), -EROFS);
    box_kill(box); // and now the program is killed, too
    assert_int_equal(box_open(box), 0);
    fault_reset();
    box_kill(box);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 21);
}

static void a_read_only_disk_at_the_start_says_what_is_in_use_and_heals(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 10);
    box_kill(box);
    for (int call = 0; call < CALL_COUNT; call++) {
        if (call == CALL_RENAMEAT2 || call == CALL_WRITEV || call == CALL_FTRUNCATE ||
            call == CALL_UNLINKAT || call == CALL_PWRITE || call == CALL_MKDIRAT) {
            fault_arm((enum fault_call)call, 1, EROFS, true);
        }
    }
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 11);
    assert_int_equal(box->found.durable_below, 1);
    assert_int_equal(box_append(box, 11, 20), -EROFS);
    assert_int_equal(spool_seal(box->spool), 0);
    fault_reset();
    box_put(box, 11, 20);
    box_assert_rows(box, 1, 20);
}

static void no_folder_and_no_way_to_make_one_heals_when_there_is(void **state)
{
    struct box *box = *state;
    fault_arm(CALL_MKDIR, 1, EROFS, true);
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 1);
    assert_int_equal(box_append(box, 1, 10), -EROFS);
    struct spool_segment segment;
    assert_false(spool_next_sealed(box->spool, 0, &segment));
    fault_reset();
    box_put(box, 1, 10);
    box_assert_rows(box, 1, 10);
}

static void a_folder_that_is_there_but_can_not_be_opened_is_an_error(void **state)
{
    // Not knowing which seqs are in use is worse than not starting.
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put(box, 1, 10);
    box_kill(box);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        fault_arm(CALL_OPEN, 2, errors[i], false); // the first is /dev/null
        assert_int_equal(box_open(box), -errors[i]);
    }
    assert_int_equal(box_open(box), 0);
    assert_int_equal(box->found.next_seq, 11);
}

static void a_segment_whose_look_fails_is_offered_later_not_set_aside(void **state)
{
    struct box *box = *state;
    assert_int_equal(box_open(box), 0);
    box_put_sealed(box, 1, 10);
    struct spool_segment segment;
    int fd;
    for (int call = 0; call < CALL_COUNT; call++) {
        fault_reset();
        assert_true(spool_next_sealed(box->spool, 0, &segment));
        if (call == CALL_OPENAT || call == CALL_FSTAT || call == CALL_FSTATAT ||
            call == CALL_PREAD) {
            fault_arm((enum fault_call)call, 1, EIO, true);
            assert_int_equal(spool_open_segment(box->spool, &segment, &fd), -EIO);
        }
    }
    fault_reset();
    box_restart(box);
    assert_int_equal(box->found.bad_files, 0);
    assert_int_equal(box->found.sealed_segments, 1);
    fault_arm(CALL_FSTATAT, 1, EIO, false);
    box_restart(box); // counted by its name
    assert_int_equal(box->found.sealed_segments, 1);
    assert_true(spool_next_sealed(box->spool, 0, &segment));
}

struct glance {
    struct box *box;
    bool seen;
    bool happened;
};

static void look_for_a_segment(void *ctx)
{
    struct glance *glance = ctx;
    struct spool_segment segment;
    glance->seen = spool_next_sealed(glance->box->spool, 0, &segment);
    glance->happened = true;
}

static void a_sealed_segment_is_not_offered_before_its_name_is_durable(void **state)
{
    struct box *box = *state;
    struct spool_segment segment;
    assert_int_equal(box_open(box), 0);
    for (uint64_t seq = 1; seq < 3; seq++) {
        struct glance glance = {.box = box};
        box_put(box, seq, seq); // from here on only the seal has a name to sync
        fault_before(CALL_FSYNC, look_for_a_segment, &glance);
        assert_int_equal(spool_seal(box->spool), 0);
        assert_true(glance.happened && !glance.seen);
        assert_true(spool_next_sealed(box->spool, 0, &segment));
        assert_int_equal(spool_remove(box->spool, &segment), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
        TEST(each_call_that_fails_once_costs_no_row),
        TEST(each_call_that_fails_for_ever_costs_no_row_once_it_works_again),
        TEST(an_interrupted_call_is_not_a_failure),
        TEST(a_failed_fdatasync_is_never_retried_on_the_same_file),
        TEST(a_poisoned_file_that_can_not_be_cut_is_cut_before_its_rows_come_again),
        TEST(a_read_only_disk_at_the_start_says_what_is_in_use_and_heals),
        TEST(no_folder_and_no_way_to_make_one_heals_when_there_is),
        TEST(a_folder_that_is_there_but_can_not_be_opened_is_an_error),
        TEST(a_segment_whose_look_fails_is_offered_later_not_set_aside),
        TEST(a_sealed_segment_is_not_offered_before_its_name_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
