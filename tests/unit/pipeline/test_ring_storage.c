#include "core/record.h"
#include "core/ring.h"
#include "ring_box.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DISK_TMP "/var/tmp"

static void the_ring_is_a_private_file_in_a_private_folder(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    assert_true(box->storage.survives);
    struct stat st;
    assert_int_equal(stat(ring_box_folder(box), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(ring_box_file(box), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, box->storage.size);
    assert_true((uint64_t)st.st_blocks * 512 >= box->storage.size); // no hole to fault on
}

static void records_survive_a_real_kill(void **state)
{
    struct ring_box *box = *state;
    pid_t pid = fork();
    if (pid == 0) {
        ring_box_open(box);
        ring_box_push(box, 1, 9);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    ring_box_open(box);
    struct ring_recovery found = ring_box_recover(box, 1);
    assert_int_equal(found.waiting, 9);
    assert_int_equal(found.next_seq, 10);
    ring_box_assert_waiting(box, 1, 9);
}

static void records_that_are_on_disk_already_are_released(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    ring_box_push(box, 5, 14);
    ring_box_kill(box);
    ring_box_open(box);
    struct ring_recovery found = ring_box_recover(box, 9);
    assert_int_equal(found.durable, 4);
    assert_int_equal(found.waiting, 6);
    assert_int_equal(found.unusable, 0);
    assert_int_equal(found.next_seq, 15);
    ring_box_assert_waiting(box, 9, 14);
    found = ring_box_recover(box, 100);
    assert_int_equal(found.durable, 6);
    assert_int_equal(found.next_seq, 0);
}

static void recovery_works_across_the_wrap_of_the_counters(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    struct ring_shared *shared = box->storage.memory;
    atomic_store(&shared->produced, UINT32_MAX - 3);
    atomic_store(&shared->consumed, UINT32_MAX - 3);
    ring_box_push(box, 1, 10);
    ring_box_kill(box);
    ring_box_open(box);
    struct ring_recovery found = ring_box_recover(box, 3);
    assert_int_equal(found.waiting, 8);
    ring_box_assert_waiting(box, 3, 10);
}

static void a_record_that_is_not_credible_ends_what_is_kept(void **state)
{
    const struct record wrong[] = {
        {.seq = 4, .boot_id = RING_BOX_BOOT + 1},
        {.seq = 3, .boot_id = RING_BOX_BOOT},
        {.seq = 4, .boot_id = RING_BOX_BOOT, .status = STATUS_NOT_SYNCHRONISED + 1},
        {.seq = 4, .boot_id = RING_BOX_BOOT, .sync_state = SYNC_UNREACHABLE + 1},
        {.seq = 4, .boot_id = RING_BOX_BOOT, .old_state = SYNC_UNREACHABLE + 1},
        {.seq = 4, .boot_id = RING_BOX_BOOT, .source = SOURCE_SNTP + 1},
    };
    struct ring_box *box = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ring_box_open(box);
        ring_box_recover(box, UINT64_MAX);
        ring_box_push(box, 1, 6);
        struct ring_consumer consumer;
        ring_consumer_init(&consumer, box->storage.memory);
        *(struct record *)ring_slot(consumer.shared, (consumer.next + 3) & consumer.mask,
                                    consumer.slot_size) = wrong[i];
        struct ring_recovery found = ring_box_recover(box, 1);
        assert_int_equal(found.waiting, 3);
        assert_int_equal(found.unusable, 3);
        assert_int_equal(found.next_seq, 4);
        ring_box_assert_waiting(box, 1, 3);
        ring_storage_close(&box->storage);
    }
}

static void a_ring_of_another_boot_is_made_anew(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    ring_box_push(box, 1, 5);
    ring_box_kill(box);
    box->config.boot_id = RING_BOX_BOOT + 1;
    ring_box_open(box);
    assert_true(box->storage.survives);
    assert_int_equal(ring_box_recover(box, 1).waiting, 0);
}

static void a_damaged_header_makes_a_new_ring(void **state)
{
    struct ring_box *box = *state;
    for (size_t at = 0; at < sizeof(struct ring_header); at++) {
        ring_box_open(box);
        ring_box_push(box, 1, 5);
        ((unsigned char *)box->storage.memory)[at] ^= 0x10;
        ring_box_kill(box);
        ring_box_open(box);
        assert_true(box->storage.survives);
        assert_int_equal(ring_box_recover(box, 1).waiting, 0);
        ring_storage_close(&box->storage);
    }
}

static void a_file_that_was_cut_is_made_anew_and_never_touched_beyond_its_end(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    ring_box_push(box, 1, 5);
    assert_int_equal(truncate(ring_box_file(box), 100), 0);
    ring_box_kill(box);
    ring_box_open(box);
    assert_true(box->storage.survives);
    ring_box_push(box, 1, 16);
}

static void records_found_keep_the_ring_at_its_capacity(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    ring_box_push(box, 1, 5);
    ring_box_kill(box);
    box->config.capacity = 64;
    ring_box_open(box);
    ring_box_assert_waiting(box, 1, 5);
    assert_int_equal(((struct ring_shared *)box->storage.memory)->header.capacity, 16);
    ring_box_recover(box, 6);
    ring_box_kill(box);
    ring_box_open(box);
    assert_int_equal(((struct ring_shared *)box->storage.memory)->header.capacity, 64);
}

static void closing_keeps_records_and_deletes_an_empty_ring(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    ring_box_push(box, 1, 5);
    char path[SCRATCH_PATH_MAX + 100];
    strcpy(path, ring_box_file(box));
    ring_storage_close(&box->storage);
    assert_int_equal(access(path, F_OK), 0);
    ring_box_open(box);
    ring_box_recover(box, 6);
    ring_storage_close(&box->storage);
    assert_int_equal(access(path, F_OK), -1);
    ring_storage_close(&box->storage);
}

static void records_refused_before_a_kill_or_a_stop_are_told_to_the_next_start(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    ring_box_push(box, 1, 16);
    struct ring_producer producer;
    ring_producer_init(&producer, box->storage.memory);
    assert_null(ring_reserve(&producer));
    assert_null(ring_reserve(&producer));
    ring_box_kill(box);
    ring_box_open(box);
    struct ring_recovery found = ring_box_recover(box, 17); // all others are on disk
    assert_int_equal(found.refused, 2);
    ring_storage_close(&box->storage);
    ring_box_open(box);
    assert_int_equal(ring_box_recover(box, 17).refused, 2);
    ring_box_push(box, 19, 19); // whose row has declared them
    assert_int_equal(ring_box_recover(box, 20).refused, 0);
}

static void two_spools_have_two_rings_and_one_spool_has_one(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    struct ring_storage other;
    struct ring_storage_config config = box->config;
    assert_int_equal(ring_storage_open(&other, &config), 0);
    assert_false(other.survives);
    assert_non_null(strstr(other.description, "another process has the ring"));
    ring_storage_close(&other);
    config.spool_dir = "/other";
    assert_int_equal(ring_storage_open(&other, &config), 0);
    assert_true(other.survives);
    ring_storage_close(&other);
}

static void what_is_not_ours_alone_is_not_trusted(void **state)
{
    struct ring_box *box = *state;
    assert_int_equal(symlink("/tmp", ring_box_folder(box)), 0);
    ring_box_assert_plain(box, "in the way");
    assert_int_equal(unlink(ring_box_folder(box)), 0);

    int fd = open(ring_box_folder(box), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    ring_box_assert_plain(box, "in the way");
    assert_int_equal(unlink(ring_box_folder(box)), 0);

    assert_int_equal(mkdir(ring_box_folder(box), 0700), 0);
    assert_int_equal(chmod(ring_box_folder(box), 0777), 0);
    ring_box_assert_plain(box, "open to others");
    assert_int_equal(chmod(ring_box_folder(box), 0700), 0);

    if (geteuid() == 0) {
        assert_int_equal(chown(ring_box_folder(box), 12345, 12345), 0);
        ring_box_assert_plain(box, "another user");
        assert_int_equal(chown(ring_box_folder(box), 0, 0), 0);
    }
}

static void a_link_fifo_or_folder_in_the_place_of_the_file_is_replaced_or_left(void **state)
{
    struct ring_box *box = *state;
    ring_box_open(box);
    char path[SCRATCH_PATH_MAX + 100];
    strcpy(path, ring_box_file(box));
    ring_storage_close(&box->storage);

    char victim[SCRATCH_PATH_MAX + 10];
    snprintf(victim, sizeof victim, "%s/victim", box->dir);
    int fd = open(victim, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "precious", 8), 8);
    close(fd);
    assert_int_equal(symlink(victim, path), 0);
    ring_box_open(box);
    assert_true(box->storage.survives);
    struct stat st;
    assert_int_equal(stat(victim, &st), 0);
    assert_int_equal(st.st_size, 8);
    ring_storage_close(&box->storage);

    assert_int_equal(mkfifo(path, 0600), 0);
    ring_box_open(box);
    assert_true(box->storage.survives);
    ring_storage_close(&box->storage);

    assert_int_equal(mkdir(path, 0700), 0);
    ring_box_assert_plain(box, "in the way");
}

static void without_a_place_in_memory_it_is_plain_memory_and_says_why(void **state)
{
    struct ring_box *box = *state;
    box->config.dir = "";
    ring_box_assert_plain(box, "no ring_dir is set");
    box->config.dir = "/nonexistent/place";
    ring_box_assert_plain(box, "can't be used");
    box->config.dir = "/proc";
    ring_box_assert_plain(box, "can't be used");
    char disk[] = DISK_TMP "/ring-test-XXXXXX";
    assert_non_null(mkdtemp(disk));
    struct statfs fs;
    assert_int_equal(statfs(disk, &fs), 0);
    if (fs.f_type != 0x01021994) { // this machine's /var/tmp may itself be tmpfs
        box->config.dir = disk;
        ring_box_assert_plain(box, "not on tmpfs");
    }
    scratch_remove(disk);
}

static void a_capacity_that_can_not_be_is_refused(void **state)
{
    struct ring_box *box = *state;
    box->config.capacity = 1000;
    assert_int_equal(ring_storage_open(&box->storage, &box->config), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_box_setup, ring_box_teardown)
        TEST(the_ring_is_a_private_file_in_a_private_folder),
        TEST(records_survive_a_real_kill),
        TEST(records_that_are_on_disk_already_are_released),
        TEST(recovery_works_across_the_wrap_of_the_counters),
        TEST(a_record_that_is_not_credible_ends_what_is_kept),
        TEST(a_ring_of_another_boot_is_made_anew),
        TEST(a_damaged_header_makes_a_new_ring),
        TEST(a_file_that_was_cut_is_made_anew_and_never_touched_beyond_its_end),
        TEST(records_found_keep_the_ring_at_its_capacity),
        TEST(closing_keeps_records_and_deletes_an_empty_ring),
        TEST(records_refused_before_a_kill_or_a_stop_are_told_to_the_next_start),
        TEST(two_spools_have_two_rings_and_one_spool_has_one),
        TEST(what_is_not_ours_alone_is_not_trusted),
        TEST(a_link_fifo_or_folder_in_the_place_of_the_file_is_replaced_or_left),
        TEST(without_a_place_in_memory_it_is_plain_memory_and_says_why),
        TEST(a_capacity_that_can_not_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
