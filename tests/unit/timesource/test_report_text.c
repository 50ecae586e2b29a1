#include "timesource/report_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char rendered[REPORT_TEXT_MAX];

static void assert_has(const char *expected)
{
    if (strstr(rendered, expected) == NULL) {
        fail_msg("want '%s' in\n%s", expected, rendered);
    }
}

static void sections_that_are_absent_are_left_out(void **state)
{
    (void)state;
    struct source_report report = {.replies = 7, .replies_rejected = 2, .replies_missing = 1};
    report_text(rendered, sizeof rendered, &report);
    assert_string_equal(rendered, "\nReplies\n=======\n"
                                  "Good            : 7\n"
                                  "Rejected        : 2\n"
                                  "Missing         : 1\n");
}

static void sources_show_their_names_states_and_reach(void **state)
{
    (void)state;
    struct source_report report = {.valid = REPORT_SOURCES, .source_count = 2, .refusal = 2};
    report.sources[0] = (struct report_source){
        .address = {.bytes = {192, 0, 2, 1}, .family = FAMILY_IPV4},
        .stratum = 3,
        .poll_log2_s = 6,
        .reach = 0377,
        .since_sample_s = 12,
        .adjusted_offset_s = -0.0999,
        .stats_valid = 1,
        .samples = 24,
    };
    report.sources[1] = (struct report_source){
        .address = {.bytes = "GPS", .family = FAMILY_IPV4},
        .mode = 2,
        .state = 9,
        .since_sample_s = UINT32_MAX,
    };
    report_text(rendered, sizeof rendered, &report);
    assert_has("\nSources\n=======\n");
    assert_has("\n192.0.2.1                               server   selected          3     6   377"
               "         12     -0.099900000");
    assert_has("\nGPS                                     refclock invalid           0     0     0"
               "      never");
    assert_has("\nSource statistics\n=================\n");
    assert_has("\n192.0.2.1                                    24 ");
    assert_has("\nRefused         : status 2\n");
}

static void kernel_status_is_spelt_out(void **state)
{
    (void)state;
    struct source_report report = {
        .valid = REPORT_KERNEL,
        .kernel = {.state = 5, .status = 0x2041, .freq_ppt = -1500000, .max_error_us = 16000000},
    };
    report_text(rendered, sizeof rendered, &report);
    assert_has("Status          : 0x2041 PLL UNSYNC NANO\n");
    assert_has("Frequency       : -1.500000 ppm\n");
    assert_has("Maximum error   : 16000000 us\n");
    assert_has("TAI - UTC       : 0 s (not set)\n");
}

static void probe_without_an_answer_shows_no_offset(void **state)
{
    (void)state;
    struct source_report report = {.valid = REPORT_PROBES, .probe_count = 2};
    report.probes[0] = (struct report_probe){.server = "192.0.2.7", .asked = 3};
    report.probes[1] = (struct report_probe){
        .server = "192.0.2.8", .answered = 1, .stratum = 2, .offset_ns = -50000000};
    report_text(rendered, sizeof rendered, &report);
    assert_has("\n192.0.2.7                                    3        0 silent  \n");
    assert_has("answers        2     -0.050000000");
}

static void fullest_report_fits(void **state)
{
    (void)state;
    static struct source_report report;
    memset(&report, 0xff, sizeof report);
    report.probe_count = REPORT_PROBES_MAX;
    for (int i = 0; i < REPORT_SOURCES_MAX; i++) {
        struct report_source *s = &report.sources[i];
        s->address.family = FAMILY_IPV6;
        s->mode = 0;
        s->original_offset_s = s->adjusted_offset_s = s->offset_error_s = -4.6e18;
        s->std_dev_s = s->resid_freq_ppm = s->skew_ppm = s->est_offset_s = -4.6e18;
    }
    for (int i = 0; i < REPORT_PROBES_MAX; i++) {
        memset(report.probes[i].server, 'x', REPORT_NAME_MAX - 1);
        report.probes[i].server[REPORT_NAME_MAX - 1] = '\0';
        report.probes[i].refused = 0;
        report.probes[i].offset_ns = INT64_MIN;
    }
    assert_in_range(report_text(rendered, sizeof rendered, &report), 1000, sizeof rendered - 2);
    assert_has("\nReplies\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_that_are_absent_are_left_out),
        cmocka_unit_test(sources_show_their_names_states_and_reach),
        cmocka_unit_test(kernel_status_is_spelt_out),
        cmocka_unit_test(probe_without_an_answer_shows_no_offset),
        cmocka_unit_test(fullest_report_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
