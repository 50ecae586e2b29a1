#include "timesource/kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/timex.h>

#include <cmocka.h>

static struct timex answer;
static int answer_state;
static int answer_error;
static unsigned modes_asked;

int __wrap_adjtimex(struct timex *timex);

int __wrap_adjtimex(struct timex *timex)
{
    modes_asked |= timex->modes;
    if (answer_error != 0) {
        errno = answer_error;
        return -1;
    }
    *timex = answer;
    return answer_state;
}

// What a kernel shows that nobody steers: return 5, UNSYNC, both errors at 16 s.
static int set_up(void **state)
{
    (void)state;
    answer = (struct timex){.status = STA_UNSYNC,
                            .maxerror = 16000000,
                            .esterror = 16000000,
                            .tick = 10000,
                            .constant = 2};
    answer_state = TIME_ERROR;
    answer_error = 0;
    modes_asked = 0;
    return 0;
}

static int read_kernel(struct reading *out, struct source_report *report)
{
    struct timesource *kernel;
    assert_int_equal(kernel_open(&kernel), 0);
    int error = timesource_read(kernel, (mono_time){0}, out);
    memset(report, 0, sizeof *report);
    timesource_report(kernel, report);
    timesource_close(kernel);
    return error;
}

static struct reading judged(void)
{
    struct reading reading;
    struct source_report report;
    assert_int_equal(read_kernel(&reading, &report), 0);
    assert_int_equal(modes_asked, 0); // read only
    assert_int_equal(reading.source, SOURCE_KERNEL);
    return reading;
}

static void kernel_that_nobody_steers_is_not_synchronised(void **state)
{
    (void)state;
    struct reading r = judged();
    assert_int_equal(r.status, STATUS_NOT_SYNCHRONISED);
    assert_int_equal(r.valid, 0);
}

static void chronyd_with_rtcsync_is_normal_and_has_no_offset(void **state)
{
    (void)state;
    answer.status = STA_NANO;
    answer.maxerror = 12500;
    answer.freq = 65536 * 3 / 2;
    answer.tick = 9999;
    struct reading r = judged();
    assert_int_equal(r.status, STATUS_NORMAL);
    assert_int_equal(r.valid,
                     VALID_REF_AGE | VALID_UPDATE_INTERVAL | VALID_ERROR_BOUND | VALID_FREQ);
    assert_int_equal(r.ref_age_ns, 25 * NS_PER_S); // 12500 us at 500 us each second
    assert_int_equal(r.error_bound_ns, 12500000);
    assert_int_equal(r.freq_ppt, -1500000 + 100000000); // slowed by a tick of 9999: it runs fast
}

static void chronyd_without_rtcsync_is_normal_by_its_error(void **state)
{
    (void)state;
    answer.maxerror = 15999999;
    assert_int_equal(judged().status, STATUS_NORMAL);
}

static void busybox_ntpd_is_not_decidable(void **state)
{
    (void)state;
    answer.status = STA_UNSYNC | STA_PLL;
    struct reading r = judged();
    assert_int_equal(r.status, STATUS_UNKNOWN);
    assert_int_equal(r.valid, 0);
}

static void offset_left_to_the_loop_has_the_unit_of_sta_nano(void **state)
{
    (void)state;
    answer.maxerror = 1000;
    answer.offset = 250; // to be added: the clock is slow
    answer.status = STA_PLL;
    struct reading r = judged();
    assert_int_equal(r.clock_diff_ns, -250000);
    assert_int_equal(r.valid & VALID_CLOCK_DIFF, VALID_CLOCK_DIFF);
    answer.status = STA_PLL | STA_NANO;
    assert_int_equal(judged().clock_diff_ns, -250);
}

static void announced_leap_second_shows_in_the_status_bits(void **state)
{
    (void)state;
    answer.maxerror = 0;
    answer.status = STA_INS;
    assert_int_equal(judged().status, STATUS_INSERT_SECOND);
    answer.status = STA_DEL | STA_UNSYNC;
    assert_int_equal(judged().status, STATUS_DELETE_SECOND);
}

static void report_has_the_raw_state(void **state)
{
    (void)state;
    struct reading reading;
    struct source_report report;
    answer.offset = -3;
    answer.tai = 37;
    answer.freq = -65536;
    assert_int_equal(read_kernel(&reading, &report), 0);
    assert_int_equal(report.valid, REPORT_KERNEL);
    assert_int_equal(report.kernel.state, TIME_ERROR);
    assert_int_equal(report.kernel.status, STA_UNSYNC);
    assert_int_equal(report.kernel.offset_ns, -3000);
    assert_int_equal(report.kernel.freq_ppt, -1000000);
    assert_int_equal(report.kernel.max_error_us, 16000000);
    assert_int_equal(report.kernel.tai_s, 37);
}

static void forbidden_call_is_no_reading(void **state)
{
    (void)state;
    struct reading reading = {.stratum = 99};
    struct source_report report;
    answer_error = EPERM;
    assert_int_equal(read_kernel(&reading, &report), -EPERM);
    assert_int_equal(reading.stratum, 99);
    assert_int_equal(report.valid, 0);
}

static void impossible_error_is_unknown(void **state)
{
    (void)state;
    answer.maxerror = -1;
    assert_int_equal(judged().status, STATUS_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kernel_that_nobody_steers_is_not_synchronised, set_up),
        cmocka_unit_test_setup(chronyd_with_rtcsync_is_normal_and_has_no_offset, set_up),
        cmocka_unit_test_setup(chronyd_without_rtcsync_is_normal_by_its_error, set_up),
        cmocka_unit_test_setup(busybox_ntpd_is_not_decidable, set_up),
        cmocka_unit_test_setup(offset_left_to_the_loop_has_the_unit_of_sta_nano, set_up),
        cmocka_unit_test_setup(announced_leap_second_shows_in_the_status_bits, set_up),
        cmocka_unit_test_setup(report_has_the_raw_state, set_up),
        cmocka_unit_test_setup(forbidden_call_is_no_reading, set_up),
        cmocka_unit_test_setup(impossible_error_is_unknown, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
