#include "timesource/panel.h"

#include "core/verdict.h"
#include "fake_chronyd.h"
#include "fake_ntp.h"
#include "test_data.h"
#include "timesource/chrony_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_NS (2 * NS_PER_S)
#define SILENCE_NS  (50 * NS_PER_MS)

#define PRINTS_SLOW "#!/bin/sh\ncat '" TEST_DATA_DIR "/chrony/v01-slow.txt'\n"
#define FAILS       "#!/bin/sh\nexit 1\n"

// What the kernel says; the machine's own state must not decide a test.
static struct timex kernel_state;
static unsigned kernel_calls;

int __wrap_adjtimex(struct timex *timex);

int __wrap_adjtimex(struct timex *timex)
{
    *timex = kernel_state;
    kernel_calls++;
    return (kernel_state.status & STA_UNSYNC) != 0 ? TIME_ERROR : TIME_OK;
}

struct bench {
    struct fake_chronyd *chronyd;
    struct fake_ntp *ntp;
    struct timesource *panel;
    char address[32];
    char servers[32];
    char program[64];
    uint8_t fast[CHRONY_REPLY_BUFFER]; // vector v02, updated at this second
};

static void kernel_says(int status, long max_error_us)
{
    kernel_state =
        (struct timex){.status = status, .maxerror = max_error_us, .esterror = 100, .tick = 10000};
}

// A daemon that has just updated: the vector's own reference time is of another day.
static void make_fresh(uint8_t *reply)
{
    uint64_t now_s = (uint64_t)(wall_now().ns / NS_PER_S);
    for (int i = 0; i < 8; i++) {
        reply[56 + i] = (uint8_t)(now_s >> (56 - 8 * i));
    }
}

static int set_up(void **state)
{
    static const struct fake_source one = {{127, 0, 0, 1}, 6, 0, 0377};
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    kernel_says(STA_UNSYNC, 16000000);
    test_data_read("chrony/v02-fast.bin", b->fast, sizeof b->fast);
    make_fresh(b->fast);
    b->chronyd = fake_chronyd_start(0, b->fast, 104);
    fake_chronyd_set_sources(b->chronyd, &one, 1);
    b->ntp = fake_ntp_start();
    snprintf(b->address, sizeof b->address, "127.0.0.1:%u", fake_chronyd_port(b->chronyd));
    snprintf(b->servers, sizeof b->servers, "127.0.0.1:%u", fake_ntp_port(b->ntp));
    snprintf(b->program, sizeof b->program, "/tmp/test_panel.%ld", (long)getpid());
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    timesource_close(b->panel);
    if (b->chronyd != NULL) {
        fake_chronyd_stop(b->chronyd);
    }
    fake_ntp_stop(b->ntp);
    (void)unlink(b->program);
    free(b);
    return 0;
}

static void open_panel(struct bench *b, bool chronyc, bool sntp)
{
    struct panel_config config = {.chrony_address = b->address,
                                  .chronyc_path = chronyc ? b->program : "",
                                  .ntp_servers = sntp ? b->servers : ""};
    assert_int_equal(panel_open(&b->panel, &config, NULL), 0);
}

static void write_program(struct bench *b, const char *text)
{
    int fd = open(b->program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void stop_chronyd(struct bench *b)
{
    fake_chronyd_stop(b->chronyd);
    b->chronyd = NULL;
}

static struct reading ask(struct bench *b, int64_t wait_ns)
{
    struct reading r;
    assert_int_equal(timesource_read(b->panel, mono_add(mono_now(), wait_ns), &r), 0);
    return r;
}

// Reads until SOURCE speaks.
static struct reading ask_until(struct bench *b, enum source_id source)
{
    for (int i = 0; i < 5000; i++) {
        struct timespec ms = {.tv_nsec = 1000000};
        struct reading r = ask(b, PATIENCE_NS);
        if (r.source == source) {
            return r;
        }
        nanosleep(&ms, NULL);
    }
    fail_msg("%s never spoke", source_id_name(source));
    return (struct reading){.source = SOURCE_NONE};
}

static struct source_report *report_of(struct bench *b)
{
    static struct source_report report;
    report = (struct source_report){0};
    timesource_report(b->panel, &report);
    return &report;
}

static void daemon_that_answers_is_the_reading(void **state)
{
    struct bench *b = *state;
    open_panel(b, true, true);
    struct reading r = ask(b, PATIENCE_NS);
    assert_int_equal(r.source, SOURCE_CHRONY);
    assert_int_equal(r.clock_diff_ns, 50001159);
    assert_true(r.daemon_answered);
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    const uint32_t all =
        REPORT_TRACKING | REPORT_SOURCES | REPORT_ACTIVITY | REPORT_KERNEL | REPORT_PROBES;
    assert_int_equal(report_of(b)->valid, all);
    assert_int_equal(report_of(b)->kernel.max_error_us, 16000000);
}

static void kernel_is_not_asked_for_a_reading_while_the_daemon_answers(void **state)
{
    struct bench *b = *state;
    open_panel(b, false, false);
    kernel_calls = 0;
    (void)ask(b, PATIENCE_NS);
    assert_int_equal(kernel_calls, 0);
    (void)report_of(b);
    assert_int_equal(kernel_calls, 1);
    fake_chronyd_behave(b->chronyd, FAKE_SILENT);
    (void)ask(b, SILENCE_NS);
    assert_int_equal(kernel_calls, 2);
}

static void silent_daemon_is_unreachable_and_comes_back(void **state)
{
    struct bench *b = *state;
    open_panel(b, false, false);
    (void)ask(b, PATIENCE_NS);
    fake_chronyd_behave(b->chronyd, FAKE_SILENT);
    kernel_says(0, 1000); // what the kernel still believes does not count
    struct reading r = ask(b, SILENCE_NS);
    assert_int_equal(r.source, SOURCE_KERNEL);
    assert_int_equal(r.status, STATUS_NORMAL);
    assert_int_equal(verdict_judge(&r), SYNC_UNREACHABLE);
    assert_int_equal(report_of(b)->valid & REPORT_TRACKING, 0);
    fake_chronyd_behave(b->chronyd, FAKE_ANSWER);
    r = ask(b, PATIENCE_NS);
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
}

static void silence_from_the_start_is_unreachable(void **state)
{
    struct bench *b = *state;
    open_panel(b, false, false);
    fake_chronyd_behave(b->chronyd, FAKE_SILENT);
    kernel_says(0, 1000);
    struct reading r = ask(b, SILENCE_NS);
    assert_int_equal(verdict_judge(&r), SYNC_UNREACHABLE);
}

static void daemon_that_was_here_and_is_gone_is_unreachable(void **state)
{
    struct bench *b = *state;
    open_panel(b, false, false);
    (void)ask(b, PATIENCE_NS);
    stop_chronyd(b);
    kernel_says(0, 1000);
    struct reading r = ask(b, PATIENCE_NS);
    assert_int_equal(verdict_judge(&r), SYNC_UNREACHABLE);
}

static void machine_without_chrony_is_judged_by_its_kernel(void **state)
{
    struct bench *b = *state;
    stop_chronyd(b);
    open_panel(b, true, false); // the program is not there
    struct reading r = ask(b, PATIENCE_NS);
    assert_int_equal(r.source, SOURCE_KERNEL);
    assert_int_equal(r.status, STATUS_NOT_SYNCHRONISED);
    assert_int_equal(verdict_judge(&r), SYNC_UNREACHABLE);
    kernel_says(STA_PLL, 5000);
    r = ask(b, PATIENCE_NS);
    assert_int_equal(r.status, STATUS_NORMAL);
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    kernel_says(STA_PLL, 8000000); // nobody has touched it for hours
    r = ask(b, PATIENCE_NS);
    assert_int_equal(verdict_judge(&r), SYNC_COASTING);
}

static void installed_chronyc_says_that_a_daemon_is_missing(void **state)
{
    struct bench *b = *state;
    stop_chronyd(b);
    write_program(b, FAILS);
    open_panel(b, true, false);
    kernel_says(0, 1000);
    struct reading r = ask(b, PATIENCE_NS);
    assert_int_equal(verdict_judge(&r), SYNC_UNREACHABLE);
}

static void refusing_daemon_is_asked_through_its_program(void **state)
{
    struct bench *b = *state;
    write_program(b, PRINTS_SLOW);
    open_panel(b, true, false);
    fake_chronyd_refuse(b->chronyd, CHRONY_UNAUTHORISED);
    struct reading r = ask_until(b, SOURCE_CHRONYC);
    assert_int_equal(r.clock_diff_ns, -49999416);
    assert_true(r.daemon_answered);
    assert_int_equal(report_of(b)->refusal, CHRONY_UNAUTHORISED);
    assert_int_equal(report_of(b)->tracking.stratum, 4);
    fake_chronyd_behave(b->chronyd, FAKE_ANSWER);
    r = ask_until(b, SOURCE_CHRONY);
    assert_int_equal(r.clock_diff_ns, 50001159);
}

static void refusing_daemon_alone_leaves_the_kernel_to_judge(void **state)
{
    struct bench *b = *state;
    open_panel(b, false, false);
    fake_chronyd_refuse(b->chronyd, CHRONY_UNAUTHORISED);
    kernel_says(0, 1000);
    struct reading r = ask(b, PATIENCE_NS);
    assert_true(r.daemon_answered);
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    kernel_says(STA_UNSYNC | STA_PLL, 16000000);
    r = ask(b, PATIENCE_NS);
    assert_int_equal(verdict_judge(&r), SYNC_UNKNOWN);
}

static void sntp_measures_where_there_is_no_chrony(void **state)
{
    struct bench *b = *state;
    stop_chronyd(b);
    open_panel(b, false, true);
    struct reading r = ask_until(b, SOURCE_SNTP);
    assert_true((r.valid & VALID_CLOCK_DIFF) != 0);
    assert_int_equal(r.status, STATUS_NORMAL); // the kernel can not tell under busybox ntpd
    assert_int_equal(verdict_judge(&r), SYNC_SYNCED);
    kernel_says(STA_INS, 1000);
    r = ask(b, PATIENCE_NS);
    assert_int_equal(r.status, STATUS_INSERT_SECOND); // it can now
    assert_true((r.valid & VALID_FREQ) != 0);
}

static void sntp_finds_a_clock_that_nobody_holds(void **state)
{
    struct bench *b = *state;
    stop_chronyd(b);
    fake_ntp_behave(b->ntp, &(struct fake_ntp_manner){.stratum = 2,
                                                      .reference_id = "\xc0\0\2\1",
                                                      .ahead_ns = 3600 * NS_PER_S});
    open_panel(b, false, true);
    struct reading r = ask_until(b, SOURCE_SNTP);
    assert_true(llabs(r.clock_diff_ns + 3600 * NS_PER_S) < NS_PER_S);
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
}

static void daemon_that_follows_a_wrong_server_is_contradicted(void **state)
{
    struct bench *b = *state;
    open_panel(b, false, true);
    struct reading r = ask(b, PATIENCE_NS);
    for (int i = 0; i < 5000 && report_of(b)->probes[0].answered == 0; i++) {
        r = ask(b, PATIENCE_NS); // chronyd says 50 ms fast, the second server says right
    }
    assert_int_equal(r.source, SOURCE_CHRONY);
    assert_true(r.contradicted);
    assert_int_equal(verdict_judge(&r), SYNC_UNSYNCED);
}

static void wrong_setting_is_named(void **state)
{
    struct bench *b = *state;
    struct timesource *none;
    const char *wrong = NULL;
    struct panel_config bad_address = {.chrony_address = "nowhere"};
    assert_int_equal(panel_open(&none, &bad_address, &wrong), -EINVAL);
    assert_string_equal(wrong, "chrony_address");
    struct panel_config bad_servers = {.chrony_address = b->address, .ntp_servers = "a;b"};
    assert_int_equal(panel_open(&none, &bad_servers, &wrong), -EINVAL);
    assert_string_equal(wrong, "ntp_servers");
}

static void panel_of_nothing_still_gives_a_reading(void **state)
{
    struct bench *b = *state;
    struct panel_config nothing = {0};
    assert_int_equal(panel_open(&b->panel, &nothing, NULL), 0);
    struct reading r = ask(b, PATIENCE_NS);
    assert_int_equal(r.source, SOURCE_KERNEL);
    assert_false(r.daemon_answered);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(daemon_that_answers_is_the_reading),
        CASE(kernel_is_not_asked_for_a_reading_while_the_daemon_answers),
        CASE(silent_daemon_is_unreachable_and_comes_back),
        CASE(silence_from_the_start_is_unreachable),
        CASE(daemon_that_was_here_and_is_gone_is_unreachable),
        CASE(machine_without_chrony_is_judged_by_its_kernel),
        CASE(installed_chronyc_says_that_a_daemon_is_missing),
        CASE(refusing_daemon_is_asked_through_its_program),
        CASE(refusing_daemon_alone_leaves_the_kernel_to_judge),
        CASE(sntp_measures_where_there_is_no_chrony),
        CASE(sntp_finds_a_clock_that_nobody_holds),
        CASE(daemon_that_follows_a_wrong_server_is_contradicted),
        CASE(wrong_setting_is_named),
        CASE(panel_of_nothing_still_gives_a_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
