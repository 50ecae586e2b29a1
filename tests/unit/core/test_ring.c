#include "core/ring.h"

#include "core/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAPACITY 8u
#define OWNER    0x0a2b3c4du

struct fixture {
    void *storage;
    size_t size;
    struct ring_producer producer;
    struct ring_consumer consumer;
};

static void start_at(struct fixture *f, uint32_t counter)
{
    struct ring_shared *shared = f->storage;
    atomic_store(&shared->produced, counter);
    atomic_store(&shared->consumed, counter);
    ring_producer_init(&f->producer, f->storage);
    ring_consumer_init(&f->consumer, f->storage);
}

static void *aligned_storage(size_t size)
{
    void *storage = NULL;
    if (posix_memalign(&storage, RING_LINE, size) != 0) {
        abort();
    }
    return storage;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->size = ring_storage_size(CAPACITY, sizeof(uint64_t));
    f->storage = aligned_storage(f->size);
    if (ring_format(f->storage, f->size, CAPACITY, sizeof(uint64_t), OWNER) != 0) {
        return -1;
    }
    start_at(f, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->storage);
    free(f);
    return 0;
}

static bool push(struct fixture *f, uint64_t value)
{
    uint64_t *slot = ring_reserve(&f->producer);
    if (slot == NULL) {
        return false;
    }
    *slot = value;
    ring_publish(&f->producer);
    return true;
}

static uint64_t at(struct fixture *f, uint32_t i)
{
    return *(const uint64_t *)ring_at(&f->consumer, i);
}

static void records_come_out_in_the_order_they_went_in(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ring_waiting(&f->consumer), 0);
    for (uint64_t i = 1; i <= 5; i++) {
        assert_true(push(f, i));
        assert_int_equal(ring_waiting(&f->consumer), i);
    }
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(at(f, i), i + 1);
    }
    ring_release(&f->consumer, 5);
    assert_int_equal(ring_waiting(&f->consumer), 0);
}

static void a_reserved_slot_is_invisible_until_published(void **state)
{
    struct fixture *f = *state;
    uint64_t *slot = ring_reserve(&f->producer);
    if (slot == NULL) {
        fail_msg("an empty ring has no slot");
        return;
    }
    *slot = 7;
    assert_int_equal(ring_waiting(&f->consumer), 0);
    ring_publish(&f->producer);
    assert_int_equal(ring_waiting(&f->consumer), 1);
}

static void peeking_leaves_the_records_until_they_are_released(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 0; i < CAPACITY; i++) {
        push(f, i);
    }
    assert_int_equal(ring_waiting(&f->consumer), CAPACITY);
    assert_int_equal(at(f, 3), 3);
    assert_int_equal(ring_waiting(&f->consumer), CAPACITY);
    ring_release(&f->consumer, 3);
    assert_int_equal(ring_waiting(&f->consumer), CAPACITY - 3);
    assert_int_equal(at(f, 0), 3);
}

static void the_next_process_learns_how_many_were_refused_at_the_end(void **state)
{
    struct fixture *f = *state;
    const void *storage = f->producer.shared;
    assert_int_equal(ring_refused(storage), 0);
    for (uint64_t i = 0; i < CAPACITY; i++) {
        assert_true(push(f, i));
    }
    assert_int_equal(ring_refused(storage), 0);
    assert_false(push(f, 100));
    assert_false(push(f, 101));
    assert_int_equal(ring_refused(storage), 2);
    assert_int_equal(ring_waiting(&f->consumer), CAPACITY);
    ring_release(&f->consumer, 1);
    assert_int_equal(ring_refused(storage), 2);
    assert_true(push(f, 102)); // told by this record: an old story now
    assert_int_equal(ring_refused(storage), 0);
    assert_false(push(f, 103));
    assert_int_equal(ring_refused(storage), 1);
}

static void push_when_full_drops_newest_and_counts_it(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 0; i < CAPACITY; i++) {
        assert_true(push(f, i));
    }
    assert_false(push(f, 100));
    assert_false(push(f, 101));
    assert_int_equal(f->producer.dropped, 2);
    assert_int_equal(ring_waiting(&f->consumer), CAPACITY);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        assert_int_equal(at(f, i), i);
    }
    ring_release(&f->consumer, 1);
    assert_true(push(f, 102));
    assert_int_equal(f->producer.dropped, 2);
    assert_int_equal(ring_waiting(&f->consumer), CAPACITY);
    assert_int_equal(at(f, CAPACITY - 1), 102);
}

static void counters_pass_two_to_the_32_without_loss_or_repeat(void **state)
{
    struct fixture *f = *state;
    start_at(f, UINT32_MAX - 2);
    uint64_t in = 0;
    uint64_t out = 0;
    // Fill levels from empty to full on both sides of the wrap.
    for (uint32_t round = 0; round < 64; round++) {
        for (uint32_t i = 0; i < round % (CAPACITY + 1); i++) {
            assert_true(push(f, in++));
        }
        uint32_t waiting = ring_waiting(&f->consumer);
        assert_int_equal(waiting, in - out);
        assert_int_equal(ring_level(&f->producer), waiting);
        for (uint32_t i = 0; i < waiting; i++) {
            assert_int_equal(at(f, i), out++);
        }
        ring_release(&f->consumer, waiting);
    }
    assert_int_equal(f->producer.dropped, 0);
    assert_in_range(in, 200, 1000);
}

static void full_is_full_across_the_wrap(void **state)
{
    struct fixture *f = *state;
    for (uint32_t before = 0; before <= CAPACITY; before++) {
        start_at(f, 0u - before);
        for (uint64_t i = 0; i < CAPACITY; i++) {
            assert_true(push(f, i));
        }
        assert_false(push(f, 99));
        assert_int_equal(ring_waiting(&f->consumer), CAPACITY);
        assert_int_equal(at(f, 0), 0);
        assert_int_equal(at(f, CAPACITY - 1), CAPACITY - 1);
    }
}

static void every_counter_start_gives_each_record_its_own_slot(void **state)
{
    struct fixture *f = *state;
    start_at(f, UINT32_MAX - 3);
    const void *slots[CAPACITY];
    for (uint32_t i = 0; i < CAPACITY; i++) {
        push(f, i);
    }
    ring_waiting(&f->consumer);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        slots[i] = ring_at(&f->consumer, i);
        for (uint32_t j = 0; j < i; j++) {
            assert_ptr_not_equal(slots[i], slots[j]);
        }
        size_t offset = (size_t)((const char *)slots[i] - (const char *)f->storage);
        assert_in_range(offset, sizeof(struct ring_shared), f->size - sizeof(uint64_t));
    }
}

static void the_next_process_finds_what_was_not_released(void **state)
{
    struct fixture *f = *state;
    start_at(f, UINT32_MAX - 1);
    for (uint64_t i = 0; i < 6; i++) {
        push(f, i);
    }
    ring_waiting(&f->consumer);
    ring_release(&f->consumer, 2);

    // The next process maps the same bytes somewhere else.
    void *mapped = aligned_storage(f->size);
    memcpy(mapped, f->storage, f->size);
    assert_int_equal(ring_check(mapped, f->size, CAPACITY, sizeof(uint64_t)), 0);
    assert_int_equal(((struct ring_shared *)mapped)->header.owner_id, OWNER);
    struct fixture next = {.storage = mapped, .size = f->size};
    ring_producer_init(&next.producer, mapped);
    ring_consumer_init(&next.consumer, mapped);
    assert_int_equal(ring_waiting(&next.consumer), 4);
    assert_int_equal(at(&next, 0), 2);
    assert_int_equal(at(&next, 3), 5);
    for (uint64_t i = 6; i < 10; i++) {
        assert_true(push(&next, i));
    }
    assert_false(push(&next, 10));
    assert_int_equal(ring_waiting(&next.consumer), CAPACITY);
    assert_int_equal(at(&next, 7), 9);
    free(mapped);
}

static void level_is_exact_for_the_producer_alone(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        assert_int_equal(ring_level(&f->producer), i);
        push(f, i);
    }
    ring_waiting(&f->consumer);
    ring_release(&f->consumer, 5);
    assert_int_equal(ring_level(&f->producer), CAPACITY - 5);
}

static void storage_of_no_valid_shape_has_no_size(void **state)
{
    (void)state;
    assert_int_equal(ring_storage_size(0, 8), 0);
    assert_int_equal(ring_storage_size(1, 8), 0);
    assert_int_equal(ring_storage_size(3, 8), 0);
    assert_int_equal(ring_storage_size(RING_CAPACITY_MAX * 2, 8), 0);
    assert_int_equal(ring_storage_size(8, 0), 0);
    assert_int_equal(ring_storage_size(8, 12), 0);
    assert_int_equal(ring_storage_size(8, RING_SLOT_MAX + 8), 0);
    assert_int_equal(ring_storage_size(8, 8), sizeof(struct ring_shared) + 64);
    assert_int_equal(ring_storage_size(1024, sizeof(struct record)),
                     sizeof(struct ring_shared) + 1024 * sizeof(struct record));
}

static void the_two_counters_and_the_slots_share_no_line(void **state)
{
    (void)state;
    size_t produced = offsetof(struct ring_shared, produced);
    size_t consumed = offsetof(struct ring_shared, consumed);
    assert_true(produced / RING_LINE != consumed / RING_LINE);
    assert_true(produced / RING_LINE != 0);
    assert_true(consumed / RING_LINE != sizeof(struct ring_shared) / RING_LINE);
    assert_int_equal(sizeof(struct ring_shared) % RING_LINE, 0);
}

static void storage_too_small_or_askew_is_refused(void **state)
{
    struct fixture *f = *state;
    char *askew = (char *)f->storage + 8;
    assert_int_equal(ring_format(f->storage, f->size - 1, CAPACITY, 8, OWNER), -EINVAL);
    assert_int_equal(ring_format(askew, f->size, CAPACITY, 8, OWNER), -EINVAL);
    assert_int_equal(ring_format(f->storage, f->size, 7, 8, OWNER), -EINVAL);
    assert_int_equal(ring_check(f->storage, f->size - 1, CAPACITY, 8), -EBADMSG);
    assert_int_equal(ring_check(askew, f->size, CAPACITY, 8), -EBADMSG);
}

static void a_ring_of_another_shape_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), 0);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY / 2, 8), -EBADMSG);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY / 2, 16), -EBADMSG);
}

static void every_flipped_header_bit_is_refused(void **state)
{
    struct fixture *f = *state;
    unsigned char *bytes = f->storage;
    for (size_t bit = 0; bit < sizeof(struct ring_header) * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), -EBADMSG);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), 0);
}

// FNV-1a over the fields before CHECK: what a program of another version would have stored.
static void seal_header(struct ring_header *header)
{
    const unsigned char *bytes = (const unsigned char *)header;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < offsetof(struct ring_header, check); i++) {
        hash = (hash ^ bytes[i]) * 16777619u;
    }
    header->check = hash;
}

static void a_sound_header_of_another_magic_or_version_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ring_header *header = f->storage;
    header->owner_id++;
    seal_header(header);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), 0);
    header->version++;
    seal_header(header);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), -EBADMSG);
    header->version--;
    header->magic++;
    seal_header(header);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), -EBADMSG);
}

static void an_empty_file_is_refused(void **state)
{
    struct fixture *f = *state;
    memset(f->storage, 0, f->size);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), -EBADMSG);
}

static void counters_further_apart_than_the_ring_is_long_are_refused(void **state)
{
    struct fixture *f = *state;
    struct ring_shared *shared = f->storage;
    atomic_store(&shared->consumed, UINT32_MAX);
    atomic_store(&shared->produced, CAPACITY - 1);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), 0);
    atomic_store(&shared->produced, CAPACITY);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), -EBADMSG);
    // Consumed before produced.
    atomic_store(&shared->consumed, 5);
    atomic_store(&shared->produced, 4);
    assert_int_equal(ring_check(f->storage, f->size, CAPACITY, 8), -EBADMSG);
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(records_come_out_in_the_order_they_went_in),
        RING_TEST(a_reserved_slot_is_invisible_until_published),
        RING_TEST(peeking_leaves_the_records_until_they_are_released),
        RING_TEST(the_next_process_learns_how_many_were_refused_at_the_end),
        RING_TEST(push_when_full_drops_newest_and_counts_it),
        RING_TEST(counters_pass_two_to_the_32_without_loss_or_repeat),
        RING_TEST(full_is_full_across_the_wrap),
        RING_TEST(every_counter_start_gives_each_record_its_own_slot),
        RING_TEST(the_next_process_finds_what_was_not_released),
        RING_TEST(level_is_exact_for_the_producer_alone),
        cmocka_unit_test(storage_of_no_valid_shape_has_no_size),
        cmocka_unit_test(the_two_counters_and_the_slots_share_no_line),
        RING_TEST(storage_too_small_or_askew_is_refused),
        RING_TEST(a_ring_of_another_shape_is_refused),
        RING_TEST(every_flipped_header_bit_is_refused),
        RING_TEST(a_sound_header_of_another_magic_or_version_is_refused),
        RING_TEST(an_empty_file_is_refused),
        RING_TEST(counters_further_apart_than_the_ring_is_long_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
