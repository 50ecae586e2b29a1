#include "app/time_floor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BUILD_S INT64_C(1795362300)
#define DAY_S   86400
#define YEAR_S  (365 * (int64_t)DAY_S)

static char dir[64];
static char spool_dir[128];
static char path[128];
static struct time_floor state_of;

static int make_folder(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s", "/tmp/time_floor.XXXXXX");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(spool_dir, sizeof spool_dir, "%s/spool", dir);
    snprintf(path, sizeof path, "%s/last_good_time", dir);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir); // fails if anything else was left behind
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static void without_a_file_it_is_the_build_time(void **state)
{
    (void)state;
    time_floor_open(&state_of, spool_dir, BUILD_S);
    assert_int_equal(state_of.floor_s, BUILD_S);
}

static void what_was_raised_is_there_after_a_restart(void **state)
{
    (void)state;
    static const char *const ends[] = {"", "/", "//"};
    time_floor_open(&state_of, spool_dir, BUILD_S);
    assert_int_equal(time_floor_raise(&state_of, BUILD_S + 5 * DAY_S), 0);
    for (size_t i = 0; i < 3; i++) {
        char with_end[160];
        snprintf(with_end, sizeof with_end, "%s%s", spool_dir, ends[i]);
        time_floor_open(&state_of, with_end, BUILD_S);
        assert_int_equal(state_of.floor_s, BUILD_S + 5 * DAY_S);
    }
}

static void it_never_falls(void **state)
{
    (void)state;
    time_floor_open(&state_of, spool_dir, BUILD_S);
    time_floor_raise(&state_of, BUILD_S + 5 * DAY_S);
    time_floor_raise(&state_of, BUILD_S + DAY_S);
    time_floor_raise(&state_of, 0);
    assert_int_equal(state_of.floor_s, BUILD_S + 5 * DAY_S);
    time_floor_open(&state_of, spool_dir, BUILD_S + 9 * DAY_S); // a newer program
    assert_int_equal(state_of.floor_s, BUILD_S + 9 * DAY_S);
}

static void the_file_is_written_once_a_day(void **state)
{
    (void)state;
    time_floor_open(&state_of, spool_dir, BUILD_S);
    assert_int_equal(time_floor_raise(&state_of, BUILD_S + DAY_S), 0);
    assert_int_equal(unlink(path), 0); // whoever writes it again is seen
    assert_int_equal(time_floor_raise(&state_of, BUILD_S + 2 * DAY_S - 1), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(state_of.floor_s, BUILD_S + 2 * DAY_S - 1);
    assert_int_equal(time_floor_raise(&state_of, BUILD_S + 2 * DAY_S), 0);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_time_far_beyond_the_build_is_not_believed(void **state)
{
    (void)state;
    time_floor_open(&state_of, spool_dir, BUILD_S);
    assert_int_equal(time_floor_raise(&state_of, BUILD_S + 11 * YEAR_S), 0);
    assert_int_equal(state_of.floor_s, BUILD_S);
    char text[32];
    snprintf(text, sizeof text, "%lld\n", (long long)(BUILD_S + 11 * YEAR_S));
    write_file(text);
    time_floor_open(&state_of, spool_dir, BUILD_S);
    assert_int_equal(state_of.floor_s, BUILD_S);
}

static void a_damaged_file_is_not_believed(void **state)
{
    (void)state;
    static const char *const texts[] = {"",     "\n",  "17954",         "1795448700",
                                        "-1\n", "x\n", "1795448700 \n", "99999999999999999999\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(texts[i]);
        time_floor_open(&state_of, spool_dir, BUILD_S);
        assert_int_equal(state_of.floor_s, BUILD_S);
    }
    write_file("1795448700\n");
    time_floor_open(&state_of, spool_dir, BUILD_S);
    assert_int_equal(state_of.floor_s, BUILD_S + DAY_S);
}

static void a_folder_that_can_not_be_written_is_tried_again(void **state)
{
    (void)state;
    char lost[160];
    snprintf(lost, sizeof lost, "%s/lost/spool", dir);
    time_floor_open(&state_of, lost, BUILD_S);
    assert_int_equal(time_floor_raise(&state_of, BUILD_S + DAY_S), -ENOENT);
    assert_int_equal(state_of.floor_s, BUILD_S + DAY_S); // good for this run all the same
    char parent[160];
    snprintf(parent, sizeof parent, "%s/lost", dir);
    assert_int_equal(mkdir(parent, 0700), 0);
    assert_int_equal(time_floor_raise(&state_of, BUILD_S + DAY_S), 0);
    assert_int_equal(unlink(state_of.path), 0);
    assert_int_equal(rmdir(parent), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_file_it_is_the_build_time, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_was_raised_is_there_after_a_restart, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(it_never_falls, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_file_is_written_once_a_day, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_time_far_beyond_the_build_is_not_believed, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_not_believed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_that_can_not_be_written_is_tried_again,
                                        make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("time_floor", tests, NULL, NULL);
}
