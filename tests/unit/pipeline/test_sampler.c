#include "pipeline/sampler.h"

#include "fake_timesource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define CAPACITY 1024

enum { URGENT = 1, FILLING = 2 };

static const struct reading good = {.valid =
                                        VALID_CLOCK_DIFF | VALID_REF_AGE | VALID_UPDATE_INTERVAL,
                                    .source = SOURCE_CHRONY,
                                    .status = STATUS_NORMAL,
                                    .daemon_answered = true,
                                    .clock_diff_ns = 50 * NS_PER_MS,
                                    .update_interval_ns = 64 * NS_PER_S};

// The wall clock as the sampler sees it: the real one, and what a test has set it by.
static _Atomic int64_t wall_offset_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int result = __real_clock_gettime(clock, ts);
    if (clock == CLOCK_REALTIME) {
        *ts = nstime_to_timespec(nstime_from_timespec(*ts) + atomic_load(&wall_offset_ns));
    }
    return result;
}

struct rig {
    void *storage;
    struct ring_producer producer;
    struct ring_consumer consumer;
    struct bell bell;
    struct fake_timesource fake;
    struct sampler *sampler;
};

static int open_rig(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    size_t size = ring_storage_size(CAPACITY, sizeof(struct record));
    if (rig == NULL) {
        return -1;
    }
    *state = rig;
    rig->storage = aligned_alloc(RING_LINE, (size + RING_LINE - 1) / RING_LINE * RING_LINE);
    if (ring_format(rig->storage, size, CAPACITY, sizeof(struct record), 1) != 0) {
        return -1;
    }
    ring_producer_init(&rig->producer, rig->storage);
    ring_consumer_init(&rig->consumer, rig->storage);
    return bell_init(&rig->bell);
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    bell_destroy(&rig->bell);
    free(rig->storage);
    free(rig);
    return 0;
}

// Samples until COUNT records are in the ring; they stay there for the test to read.
static void sample_with_answers(struct rig *rig, uint32_t answer_stands_ms, uint32_t count)
{
    struct sampler_config config = {.answer_stands_ms = answer_stands_ms,
                                    .source = &rig->fake.source,
                                    .ring = &rig->producer,
                                    .writer_bell = &rig->bell,
                                    .urgent_reason = URGENT,
                                    .filling_reason = FILLING,
                                    .boot_id = 7,
                                    .first_seq = 100,
                                    .interval_ms = 2};
    assert_int_equal(sampler_start(&rig->sampler, &config), 0);
    while (ring_waiting(&rig->consumer) < count) {
        usleep(1000);
    }
    sampler_request_stop(rig->sampler);
    sampler_join(rig->sampler);
}

static void sample(struct rig *rig, const struct reading *script, const int *errors, size_t length,
                   uint32_t count)
{
    fake_timesource_init(&rig->fake, script, errors, length);
    sample_with_answers(rig, 0, count);
}

static const struct record *record_at(struct rig *rig, uint32_t i)
{
    assert_true(i < ring_waiting(&rig->consumer));
    return ring_at(&rig->consumer, i);
}

static void sampler_numbers_records_without_a_gap(void **state)
{
    struct rig *rig = *state;
    sample(rig, &good, NULL, 1, 20);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(record_at(rig, i)->seq, 100 + i);
        assert_int_equal(record_at(rig, i)->boot_id, 7);
    }
    sampler_free(rig->sampler);
}

static void sampler_marks_only_the_first_record_as_start(void **state)
{
    struct rig *rig = *state;
    sample(rig, &good, NULL, 1, 3);
    assert_true(record_at(rig, 0)->events & EVENT_START);
    assert_int_equal(record_at(rig, 0)->elapsed_mono_us, 0);
    assert_false(record_at(rig, 1)->events & EVENT_START);
    assert_true(record_at(rig, 1)->elapsed_mono_us > 0);
    sampler_free(rig->sampler);
}

static void sampler_accounts_for_every_tick_as_record_or_gap(void **state)
{
    struct rig *rig = *state;
    sample(rig, &good, NULL, 1, 50);
    const struct record *first = record_at(rig, 0);
    uint32_t last = ring_waiting(&rig->consumer) - 1;
    uint64_t ticks = 0;
    for (uint32_t i = 1; i <= last; i++) {
        ticks += 1 + record_at(rig, i)->gap_rows;
    }
    // Each record lies within its own tick, so the count of ticks is exact but for the lateness
    // of the first and the last, which a busy machine may stretch to a few ticks.
    int64_t span_ns = record_at(rig, last)->mono_ns - first->mono_ns;
    int64_t expected = span_ns / (2 * NS_PER_MS);
    assert_in_range(ticks, (uint64_t)(expected > 20 ? expected - 20 : 0), (uint64_t)expected + 20);
    sampler_free(rig->sampler);
}

static void sampler_elapsed_columns_add_up_to_the_microsecond(void **state)
{
    struct rig *rig = *state;
    sample(rig, &good, NULL, 1, 30);
    int64_t sum_us = 0;
    for (uint32_t i = 0; i < 30; i++) {
        sum_us += record_at(rig, i)->elapsed_wall_us;
    }
    assert_int_equal(sum_us,
                     record_at(rig, 29)->wall_ns / 1000 - record_at(rig, 0)->wall_ns / 1000);
    sampler_free(rig->sampler);
}

static void sampler_makes_a_row_when_the_source_fails(void **state)
{
    struct rig *rig = *state;
    const int errors[] = {-ETIMEDOUT};
    sample(rig, &good, errors, 1, 5);
    const struct record *record = record_at(rig, 2);
    assert_int_equal(record->valid, 0);
    assert_int_equal(record->source, SOURCE_NONE);
    assert_int_equal(record->status, STATUS_UNKNOWN);
    struct sampler_snapshot failure;
    assert_true(sampler_get_failure(rig->sampler, &failure));
    assert_true(failure.failures >= 1);
    sampler_free(rig->sampler);
}

static void sampler_leaves_out_the_difference_when_never_synchronised(void **state)
{
    struct rig *rig = *state;
    struct reading never = good;
    never.status = STATUS_NOT_SYNCHRONISED;
    never.clock_diff_ns = 0;
    sample(rig, &never, NULL, 1, 2);
    assert_false(record_at(rig, 0)->valid & VALID_CLOCK_DIFF);
    sampler_free(rig->sampler);
}

static void sampler_tells_a_change_of_state_and_rings_for_a_commit(void **state)
{
    struct rig *rig = *state;
    struct reading script[3] = {good, good, good};
    script[2].status = STATUS_NOT_SYNCHRONISED;
    sample(rig, script, NULL, 3, 4);
    assert_false(record_at(rig, 1)->events & EVENT_STATE);
    assert_true(record_at(rig, 2)->events & EVENT_STATE);
    assert_int_equal(record_at(rig, 2)->old_state, SYNC_SYNCED);
    assert_int_equal(record_at(rig, 2)->sync_state, SYNC_UNSYNCED);
    assert_true(bell_take(&rig->bell) & URGENT);
    sampler_free(rig->sampler);
}

static void sampler_asks_once_for_the_records_of_the_time_an_answer_stands(void **state)
{
    struct rig *rig = *state;
    struct reading script[2] = {good, good};
    script[1].clock_diff_ns = 111;
    fake_timesource_init(&rig->fake, script, NULL, 2);
    rig->fake.answers_ahead = true;
    sample_with_answers(rig, 11, 10); // of 2 ms each: five
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(record_at(rig, i)->clock_diff_ns, script[i / 5].clock_diff_ns);
    }
    size_t records = ring_waiting(&rig->consumer);
    assert_int_equal(rig->fake.reads, (records + 4) / 5);
    assert_int_equal(rig->fake.asked_ahead, rig->fake.reads); // right after, for the next
    sampler_free(rig->sampler);
}

static void sampler_shows_its_first_sample_and_then_changes_only_for_a_while(void **state)
{
    struct rig *rig = *state;
    struct reading script[5] = {good, good, good, good, good};
    struct sampler_snapshot shown;
    sample(rig, script, NULL, 5, 5);
    assert_true(sampler_get_latest(rig->sampler, &shown));
    assert_int_equal(shown.samples, 1);
    sampler_free(rig->sampler);
    ring_release(&rig->consumer, ring_waiting(&rig->consumer));
    script[4].status = STATUS_NOT_SYNCHRONISED;
    sample(rig, script, NULL, 5, 7);
    assert_true(sampler_get_failure(rig->sampler, &shown) && shown.failures >= 1);
    sampler_free(rig->sampler);
}

static void sampler_drops_the_newest_when_the_ring_is_full_and_says_so_later(void **state)
{
    struct rig *rig = *state;
    fake_timesource_init(&rig->fake, &good, NULL, 1);
    struct sampler_config config = {.source = &rig->fake.source,
                                    .ring = &rig->producer,
                                    .writer_bell = &rig->bell,
                                    .filling_reason = FILLING,
                                    .boot_id = 7,
                                    .first_seq = 1,
                                    .interval_ms = 1};
    assert_int_equal(sampler_start(&rig->sampler, &config), 0);
    struct sampler_snapshot now = {0};
    while (now.dropped < 5) { // shown about once a second, so more may be lost by then
        usleep(1000);
        (void)sampler_get_latest(rig->sampler, &now);
    }
    assert_true(bell_take(&rig->bell) & FILLING);
    uint64_t last_kept = record_at(rig, CAPACITY - 1)->seq;
    ring_release(&rig->consumer, CAPACITY);
    while (ring_waiting(&rig->consumer) < 1) {
        usleep(1000);
    }
    sampler_request_stop(rig->sampler);
    sampler_join(rig->sampler);
    const struct record *next = record_at(rig, 0);
    assert_true(next->events & EVENT_DROPPED);
    assert_int_equal(next->seq, last_kept + 1 + next->dropped_rows);
    sampler_free(rig->sampler);
}

static void sampler_declares_what_the_former_process_lost_in_its_first_row(void **state)
{
    struct rig *rig = *state;
    fake_timesource_init(&rig->fake, &good, NULL, 1);
    struct sampler_config config = {.source = &rig->fake.source,
                                    .ring = &rig->producer,
                                    .writer_bell = &rig->bell,
                                    .boot_id = 7,
                                    .first_seq = 105,
                                    .lost_before = 5,
                                    .interval_ms = 1};
    assert_int_equal(sampler_start(&rig->sampler, &config), 0);
    while (ring_waiting(&rig->consumer) < 2) {
        usleep(1000);
    }
    sampler_request_stop(rig->sampler);
    sampler_join(rig->sampler);
    const struct record *first = record_at(rig, 0);
    assert_int_equal(first->seq, 105);
    assert_true(first->events & EVENT_START);
    assert_true(first->events & EVENT_DROPPED);
    assert_int_equal(first->dropped_rows, 5);
    assert_false(record_at(rig, 1)->events & EVENT_DROPPED);
    sampler_free(rig->sampler);
}

static void sampler_offers_the_source_no_more_than_a_quarter_of_the_tick(void **state)
{
    struct rig *rig = *state;
    sample(rig, &good, NULL, 1, 20);
    assert_true(rig->fake.longest_budget_ns <= 2 * NS_PER_MS / 4);
    sampler_free(rig->sampler);
}

static void sampler_hears_at_the_next_tick_what_it_asked_at_this_one(void **state)
{
    struct rig *rig = *state;
    struct reading script[10];
    for (int i = 0; i < 10; i++) {
        script[i] = good;
        script[i].clock_diff_ns = i;
    }
    fake_timesource_init(&rig->fake, script, NULL, 10);
    rig->fake.answers_ahead = true;
    sample_with_answers(rig, 0, 10);
    for (uint32_t i = 0; i + 1 < 10; i++) {
        assert_int_equal(record_at(rig, i)->seq, 100 + i);
        assert_int_equal(record_at(rig, i)->clock_diff_ns, i);
        assert_true(record_at(rig, i)->mono_ns <= rig->fake.asked_at[i].ns);
        assert_true(rig->fake.asked_at[i].ns <= record_at(rig, i + 1)->mono_ns);
        assert_true(record_at(rig, i + 1)->mono_ns <= rig->fake.read_at[i].ns);
    }
    sampler_free(rig->sampler);
}

static void sampler_completes_the_record_at_hand_when_it_is_stopped(void **state)
{
    struct rig *rig = *state;
    fake_timesource_init(&rig->fake, &good, NULL, 1);
    rig->fake.answers_ahead = true;
    sample_with_answers(rig, 0, 3);
    assert_int_equal(rig->fake.reads, rig->fake.asked_ahead);
    assert_int_equal(ring_waiting(&rig->consumer), rig->fake.asked_ahead);
    sampler_free(rig->sampler);
}

static void sampler_waits_for_the_answer_when_ticks_are_long(void **state)
{
    struct rig *rig = *state;
    fake_timesource_init(&rig->fake, &good, NULL, 1);
    rig->fake.answers_ahead = true;
    struct sampler_config config = {.source = &rig->fake.source,
                                    .ring = &rig->producer,
                                    .writer_bell = &rig->bell,
                                    .first_seq = 1,
                                    .interval_ms = 60000};
    assert_int_equal(sampler_start(&rig->sampler, &config), 0);
    while (ring_waiting(&rig->consumer) < 1) { // at the first tick, not a minute later
        usleep(1000);
    }
    sampler_request_stop(rig->sampler);
    sampler_join(rig->sampler);
    assert_int_equal(rig->fake.asked_ahead, 0);
    sampler_free(rig->sampler);
}

// Samples 10 rows, sets the clock, samples on; returns the one record that tells of a step.
static const struct record *sample_over_step(struct rig *rig, int64_t step_ns, bool answers_ahead)
{
    fake_timesource_init(&rig->fake, &good, NULL, 1);
    rig->fake.answers_ahead = answers_ahead;
    struct sampler_config config = {.source = &rig->fake.source,
                                    .ring = &rig->producer,
                                    .writer_bell = &rig->bell,
                                    .urgent_reason = URGENT,
                                    .interval_ms = 5,
                                    .first_seq = 1};
    atomic_store(&wall_offset_ns, 0);
    assert_int_equal(sampler_start(&rig->sampler, &config), 0);
    while (ring_waiting(&rig->consumer) < 10) {
        usleep(1000);
    }
    atomic_store(&wall_offset_ns, step_ns);
    while (ring_waiting(&rig->consumer) < 40) {
        usleep(1000);
    }
    sampler_request_stop(rig->sampler);
    sampler_join(rig->sampler);
    const struct record *found = NULL;
    for (uint32_t i = 0; i < ring_waiting(&rig->consumer); i++) {
        const struct record *record = record_at(rig, i);
        if ((record->events & EVENT_STEP) != 0) {
            assert_null(found);
            found = record;
        }
    }
    assert_non_null(found);
    return found;
}

static void expect_step(struct rig *rig, int64_t step_ns, bool answers_ahead)
{
    const struct record *record = sample_over_step(rig, step_ns, answers_ahead);
    int64_t error_ns = record->step_ns - step_ns;
    assert_true(llabs(error_ns) < NS_PER_MS); // the read windows; wide on a busy machine
    // The row that tells of the step is the one whose clocks show it.
    int64_t jump_us = record->elapsed_wall_us - record->elapsed_mono_us;
    assert_true(llabs(jump_us * NS_PER_US - step_ns) < NS_PER_MS);
    struct sampler_snapshot snapshot;
    assert_true(sampler_get_latest(rig->sampler, &snapshot));
    assert_int_equal(snapshot.steps.count, 1);
    assert_int_equal(snapshot.steps.entries[0].seq, record->seq);
    assert_true(bell_take(&rig->bell) & URGENT);
    sampler_free(rig->sampler);
}

static void sampler_tells_a_step_forward_once_with_its_size(void **state)
{
    expect_step(*state, 100 * NS_PER_MS, false);
}

static void sampler_tells_a_step_in_its_own_row_when_answers_come_later(void **state)
{
    expect_step(*state, 100 * NS_PER_MS, true);
}

static void sampler_tells_a_step_back_by_an_hour_once(void **state)
{
    expect_step(*state, -3600 * NS_PER_S, false);
}

static void sampler_tells_a_step_of_fifty_years_once(void **state)
{
    expect_step(*state, INT64_C(50) * 31557600 * NS_PER_S, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
        TEST(sampler_numbers_records_without_a_gap),
        TEST(sampler_marks_only_the_first_record_as_start),
        TEST(sampler_accounts_for_every_tick_as_record_or_gap),
        TEST(sampler_elapsed_columns_add_up_to_the_microsecond),
        TEST(sampler_makes_a_row_when_the_source_fails),
        TEST(sampler_leaves_out_the_difference_when_never_synchronised),
        TEST(sampler_tells_a_change_of_state_and_rings_for_a_commit),
        TEST(sampler_asks_once_for_the_records_of_the_time_an_answer_stands),
        TEST(sampler_shows_its_first_sample_and_then_changes_only_for_a_while),
        TEST(sampler_drops_the_newest_when_the_ring_is_full_and_says_so_later),
        TEST(sampler_declares_what_the_former_process_lost_in_its_first_row),
        TEST(sampler_offers_the_source_no_more_than_a_quarter_of_the_tick),
        TEST(sampler_hears_at_the_next_tick_what_it_asked_at_this_one),
        TEST(sampler_completes_the_record_at_hand_when_it_is_stopped),
        TEST(sampler_waits_for_the_answer_when_ticks_are_long),
        TEST(sampler_tells_a_step_forward_once_with_its_size),
        TEST(sampler_tells_a_step_in_its_own_row_when_answers_come_later),
        TEST(sampler_tells_a_step_back_by_an_hour_once),
        TEST(sampler_tells_a_step_of_fifty_years_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
