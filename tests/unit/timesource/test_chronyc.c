#include "timesource/chronyc.h"

#include "test_data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * The program run is a real one, a script that prints a captured answer or misbehaves. Time passes
 * by a shift of the clocks, so no test waits for a cadence.
 */
static _Atomic int64_t passed_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int result = __real_clock_gettime(clock, ts);
    *ts = nstime_to_timespec(nstime_from_timespec(*ts) + passed_ns);
    return result;
}

struct bench {
    char dir[64];
    char program[96];
    struct timesource *chronyc;
};

static void write_program(const struct bench *b, const char *body)
{
    int fd = open(b->program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/bin/sh\nd=%s\n%s\n", b->dir, body) > 0);
    close(fd);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    passed_ns = 0;
    snprintf(b->dir, sizeof b->dir, "/tmp/test_chronyc.XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->program, sizeof b->program, "%s/chronyc", b->dir);
    assert_int_equal(chronyc_open(&b->chronyc, b->program, NULL), 0);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    char path[400];
    timesource_close(b->chronyc);
    DIR *dir = opendir(b->dir);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        snprintf(path, sizeof path, "%s/%s", b->dir, e->d_name);
        (void)unlink(path);
    }
    closedir(dir);
    assert_int_equal(rmdir(b->dir), 0);
    free(b);
    // No child is left behind, dead or alive.
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return 0;
}

static int ask(struct bench *b, struct reading *out)
{
    return timesource_read(b->chronyc, mono_now(), out);
}

static void rest(void)
{
    struct timespec ms = {.tv_nsec = 1000000};
    nanosleep(&ms, NULL);
}

// Reads until the run at hand has ended, as 0 or with WANTED.
static int run_to(struct bench *b, int wanted, struct reading *out)
{
    int error = -EAGAIN;
    for (int i = 0; i < 10000 && error != wanted; i++) {
        error = ask(b, out);
        rest();
    }
    return error;
}

static bool exists(const struct bench *b, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    return access(path, F_OK) == 0;
}

#define PRINTS_FAST "cat '" TEST_DATA_DIR "/chrony/v02-fast.txt'"

static void output_becomes_a_reading(void **state)
{
    struct bench *b = *state;
    struct reading r;
    write_program(b, PRINTS_FAST);
    assert_true(chronyc_is_installed(b->chronyc));
    assert_int_equal(ask(b, &r), -EAGAIN); // started, not waited for
    assert_int_equal(run_to(b, 0, &r), 0);
    assert_int_equal(r.source, SOURCE_CHRONYC);
    assert_int_equal(r.clock_diff_ns, 50001159);
    assert_int_equal(r.update_interval_ns, 64 * NS_PER_S);
    assert_true((r.valid & VALID_REF_AGE) != 0);
    static struct source_report report;
    report = (struct source_report){0};
    timesource_report(b->chronyc, &report);
    assert_int_equal(report.valid, REPORT_TRACKING);
    assert_int_equal(report.tracking.ref_id, 0x7f000001);
}

static void program_gets_numeric_words_and_a_clean_environment(void **state)
{
    struct bench *b = *state;
    struct reading r;
    setenv("TZ", "right/UTC", 1);
    write_program(
        b, "echo args \"$@\" > $d/args; env | sort | grep -v '^PWD\\|^_\\|^SHLVL\\|^OLDPWD' > "
           "$d/env\n" PRINTS_FAST);
    assert_int_equal(run_to(b, 0, &r), 0);
    unsetenv("TZ");
    char path[128];
    char text[256];
    snprintf(path, sizeof path, "%s/args", b->dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "args -n -m timeout 200 retries 0 tracking\n");
    snprintf(path, sizeof path, "%s/env", b->dir);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "LC_ALL=C\n");
    assert_null(fgets(text, sizeof text, file));
    fclose(file);
}

static void address_that_is_not_the_default_is_passed_on(void **state)
{
    struct bench *b = *state;
    struct reading r;
    timesource_close(b->chronyc);
    assert_int_equal(chronyc_open(&b->chronyc, b->program, "127.0.0.1:10324"), 0);
    write_program(b, "[ \"$2 $3 $4 $5\" = '-h 127.0.0.1 -p 10324' ] || exit 1\n" PRINTS_FAST);
    assert_int_equal(run_to(b, 0, &r), 0);
}

static void result_stands_for_ten_seconds_without_a_run(void **state)
{
    struct bench *b = *state;
    struct reading first;
    struct reading later;
    write_program(b, "echo x >> $d/runs\n" PRINTS_FAST);
    assert_int_equal(run_to(b, 0, &first), 0);
    for (int i = 0; i < 9; i++) {
        passed_ns += NS_PER_S;
        assert_int_equal(ask(b, &later), 0);
    }
    assert_true(later.ref_age_ns >= first.ref_age_ns + 9 * NS_PER_S);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // nothing was started
    passed_ns += 2 * NS_PER_S;
    assert_int_equal(ask(b, &later), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); // one runs
}

static void failing_program_is_asked_less_and_less(void **state)
{
    struct bench *b = *state;
    struct reading r;
    int runs = 0;
    write_program(b, "echo '506 Cannot talk to daemon'; echo x >> $d/runs; exit 1");
    assert_int_equal(run_to(b, -EIO, &r), -EIO);
    for (int i = 0; i < 3600; i++) {
        passed_ns += NS_PER_S;
        (void)ask(b, &r);
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0) { // ended: collected at the next read
            runs++;
        }
    }
    assert_in_range(runs, 8, 12); // at 10, 30, 70, 150, 310, 630, then each 640 s
}

static void old_result_is_not_told_for_ever(void **state)
{
    struct bench *b = *state;
    struct reading r;
    write_program(b, PRINTS_FAST);
    assert_int_equal(run_to(b, 0, &r), 0);
    write_program(b, "exit 1");
    passed_ns += 20 * NS_PER_S;
    assert_int_equal(ask(b, &r), 0);
    passed_ns += 6 * NS_PER_S;
    assert_int_equal(run_to(b, -EIO, &r), -EIO);
}

static void hanging_program_is_killed_at_its_deadline(void **state)
{
    struct bench *b = *state;
    struct reading r;
    write_program(b, "trap '' TERM; echo x > $d/started; exec sleep 1000");
    for (int i = 0; i < 10000 && !exists(b, "started"); i++) {
        assert_int_equal(ask(b, &r), -EAGAIN);
        rest();
    }
    assert_int_equal(ask(b, &r), -EAGAIN);
    passed_ns += NS_PER_S;
    assert_int_equal(run_to(b, -EIO, &r), -EIO);
}

static void endless_output_is_cut_off(void **state)
{
    struct bench *b = *state;
    struct reading r;
    write_program(b, "while :; do echo 'Leap status     : Normal'; done");
    assert_int_equal(run_to(b, -EIO, &r), -EIO);
}

static void incomplete_output_is_no_reading(void **state)
{
    struct bench *b = *state;
    struct reading r;
    write_program(b, "head -n 12 '" TEST_DATA_DIR "/chrony/v02-fast.txt'");
    assert_int_equal(run_to(b, -EBADMSG, &r), -EBADMSG);
}

static void missing_program_is_said(void **state)
{
    struct bench *b = *state;
    struct reading r;
    assert_false(chronyc_is_installed(b->chronyc));
    assert_int_equal(run_to(b, -ENOENT, &r), -ENOENT);
}

static void run_under_way_is_collected_when_it_is_not_needed(void **state)
{
    struct bench *b = *state;
    struct reading r;
    write_program(b, PRINTS_FAST);
    assert_int_equal(ask(b, &r), -EAGAIN);
    for (int i = 0; i < 10000 && waitpid(-1, NULL, WNOHANG | __WNOTHREAD) == 0; i++) {
        chronyc_settle(b->chronyc);
        rest();
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void malformed_address_is_refused(void **state)
{
    (void)state;
    struct timesource *none;
    assert_int_equal(chronyc_open(&none, "/usr/bin/chronyc", "127.0.0.1"), -EINVAL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(output_becomes_a_reading),
        CASE(program_gets_numeric_words_and_a_clean_environment),
        CASE(address_that_is_not_the_default_is_passed_on),
        CASE(result_stands_for_ten_seconds_without_a_run),
        CASE(failing_program_is_asked_less_and_less),
        CASE(old_result_is_not_told_for_ever),
        CASE(hanging_program_is_killed_at_its_deadline),
        CASE(endless_output_is_cut_off),
        CASE(incomplete_output_is_no_reading),
        CASE(missing_program_is_said),
        CASE(run_under_way_is_collected_when_it_is_not_needed),
        cmocka_unit_test(malformed_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
