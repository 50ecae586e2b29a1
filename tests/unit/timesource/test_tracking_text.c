#include "timesource/tracking_text.h"

#include "test_data.h"
#include "timesource/chrony_wire.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void vectors_render_as_chronyc_prints_them(void **state)
{
    (void)state;
    static const char *const vectors[] = {
        "v01-slow",          "v02-fast",          "v03-never-synchronised",
        "v04-local-only",    "v05-ipv6",          "v06-refclock",
        "v07-insert-second", "v08-delete-second", "v09-lost",
        "v10-restarted",     "e01-odd",           "e02-large",
        "e03-mapped",
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char name[64];
        uint8_t reply[CHRONY_REPLY_BUFFER];
        char expected[TRACKING_TEXT_MAX] = {0};
        char rendered[TRACKING_TEXT_MAX];
        struct report_tracking tracking;
        snprintf(name, sizeof name, "chrony/%s.bin", vectors[i]);
        test_data_read(name, reply, sizeof reply);
        snprintf(name, sizeof name, "chrony/%s.txt", vectors[i]);
        size_t length = test_data_read(name, expected, sizeof expected);
        chrony_decode_tracking(reply, &tracking);
        assert_int_equal(tracking_text(rendered, sizeof rendered, &tracking), length);
        assert_string_equal(rendered, expected);
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// The C library's calendar is the reference, for dates before and after our era alike.
static void dates_are_those_of_the_c_library(void **state)
{
    (void)state;
    uint64_t random = UINT64_C(0x2545f4914f6cdd1d);
    print_message("seed %" PRIx64 "\n", random);
    for (int i = 0; i < 20000; i++) {
        int64_t seconds = (int64_t)(next_random(&random) >> (8 + i % 40));
        seconds = i % 2 == 0 ? seconds : -seconds;
        struct report_tracking tracking = {.ref_time_s = seconds};
        char rendered[TRACKING_TEXT_MAX];
        char date[64] = "";
        char expected[128];
        struct tm tm;
        time_t when = (time_t)seconds;
        if (gmtime_r(&when, &tm) != NULL) {
            strftime(date, sizeof date, "%a %b %d %H:%M:%S %Y", &tm);
        }
        snprintf(expected, sizeof expected, "\nRef time (UTC)  : %s\n", date);
        tracking_text(rendered, sizeof rendered, &tracking);
        if (strstr(rendered, expected) == NULL) {
            fail_msg("%" PRId64 ": want '%s' in %s", seconds, expected, rendered);
        }
    }
}

static void largest_values_fit_the_buffer(void **state)
{
    (void)state;
    struct report_tracking tracking = {.address = {.family = FAMILY_IPV6}, .leap = 3};
    memset(tracking.address.bytes, 0xfe, sizeof tracking.address.bytes);
    double largest = chrony_float_decode(0x7f000000);
    tracking.correction_s = tracking.last_offset_s = tracking.rms_offset_s = largest;
    tracking.freq_ppm = tracking.resid_freq_ppm = tracking.skew_ppm = largest;
    tracking.root_delay_s = tracking.root_dispersion_s = tracking.update_interval_s = largest;
    char rendered[TRACKING_TEXT_MAX];
    assert_in_range(tracking_text(rendered, sizeof rendered, &tracking), 500, 1000);
    assert_non_null(strstr(rendered, "Leap status     : Not synchronised\n"));
}

static void small_buffer_is_cut_not_overrun(void **state)
{
    (void)state;
    struct report_tracking tracking = {0};
    char rendered[64];
    memset(rendered, 'x', sizeof rendered);
    assert_int_equal(tracking_text(rendered, 20, &tracking), 19);
    assert_string_equal(rendered, "Reference ID    : 0");
    assert_int_equal(rendered[20], 'x');
}

static void names_are_those_of_chronyc(void **state)
{
    (void)state;
    char name[TRACKING_NAME_MAX];
    struct report_address id = {.bytes = {0, 0, 1, 2}, .family = FAMILY_ID};
    tracking_source_name(name, &id, 0);
    assert_string_equal(name, "ID#0000000258");
    struct report_address none = {.family = FAMILY_NONE};
    tracking_source_name(name, &none, 0x47807f42);
    assert_string_equal(name, "GB");
    assert_string_equal(tracking_leap_name(4), "Invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_render_as_chronyc_prints_them),
        cmocka_unit_test(dates_are_those_of_the_c_library),
        cmocka_unit_test(largest_values_fit_the_buffer),
        cmocka_unit_test(small_buffer_is_cut_not_overrun),
        cmocka_unit_test(names_are_those_of_chronyc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
