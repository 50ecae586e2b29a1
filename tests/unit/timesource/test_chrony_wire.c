#include "timesource/chrony_wire.h"

#include "base/bytes.h"
#include "test_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SEQUENCE 0x3179b5aeu // of v01-slow

// cmocka's own comparison is of floats, too coarse for a nanosecond in a second.
static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) {
        fail_msg("%.17g is not %.17g +- %g", value, expected, tolerance);
    }
}

static void request_for_tracking_is_the_captured_one(void **state)
{
    (void)state;
    static const uint8_t captured[12] = {6, 1, 0, 0, 0, 0x21, 0, 0, 0x31, 0x79, 0xb5, 0xae};
    static const uint8_t zeros[CHRONY_REQUEST_MAX];
    uint8_t request[CHRONY_REQUEST_MAX];
    memset(request, 0xff, sizeof request);
    assert_int_equal(chrony_request_encode(request, CHRONY_TRACKING, 7, SEQUENCE), 104);
    assert_memory_equal(request, captured, sizeof captured);
    assert_memory_equal(request + sizeof captured, zeros, 104 - sizeof captured);
}

static void request_is_as_long_as_the_reply_and_carries_the_index(void **state)
{
    (void)state;
    uint8_t request[CHRONY_REQUEST_MAX];
    assert_int_equal(chrony_request_encode(request, CHRONY_N_SOURCES, 9, 1), 32);
    assert_int_equal(bytes_get_u32(request + 20), 0);
    assert_int_equal(chrony_request_encode(request, CHRONY_SOURCE_DATA, 9, 1), 76);
    assert_int_equal(bytes_get_u32(request + 20), 9);
    assert_int_equal(chrony_request_encode(request, CHRONY_SOURCESTATS, 258, 1), 84);
    assert_int_equal(bytes_get_u32(request + 20), 258);
    assert_int_equal(chrony_request_encode(request, CHRONY_ACTIVITY, 9, 1), 48);
    assert_int_equal(bytes_get_u16(request + 4), CHRONY_ACTIVITY);
}

static void request_of_an_unknown_command_is_not_made(void **state)
{
    (void)state;
    uint8_t request[CHRONY_REQUEST_MAX];
    assert_int_equal(chrony_request_encode(request, (enum chrony_command)57, 0, 1), 0);
}

struct chrony_word {
    uint32_t word;
    double value;
};

static void float_words_have_their_exact_values(void **state)
{
    (void)state;
    static const struct chrony_word words[] = {
        {0x00000000, 0.0},
        {0xfacccc30, 0.0499994158744812},
        {0x04800000, 1.0},
        {0xfb3331fc, -0.05000115931034088},
        {0x06840000, 2.0625},
        {0xdc8637bd, 9.999999974752427e-07},
        {0x00800000, 0.25},
        {0xf0a186d8, 0.0012323511764407158},
        {0x01000000, -0.5},
        {0xfd032916, -0.12345679104328156},
        {0x03800000, -0.5},
        {0x00ffffff, 0.4999999701976776},
        {0x80000000, 0.0},
        {0x80000001, 1.6155871338926322e-27},
        {0x7effffff, 4.611685743549481e+18},
        {0x7f000000, -4.611686018427388e+18},
        {0x81000000, -2.710505431213761e-20},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        double value = chrony_float_decode(words[i].word);
        assert_memory_equal(&value, &words[i].value, sizeof value);
    }
}

// A good tracking reply, to be spoilt one way at a time.
static void good_reply(uint8_t *reply)
{
    assert_int_equal(test_data_read("chrony/v01-slow.bin", reply, CHRONY_REPLY_BUFFER), 104);
}

static enum chrony_reply check(const uint8_t *reply, size_t length, uint16_t *status)
{
    return chrony_reply_check(reply, length, CHRONY_TRACKING, SEQUENCE, status);
}

static void reply_of_exact_or_greater_length_is_good(void **state)
{
    (void)state;
    uint16_t status = 99;
    uint8_t reply[CHRONY_REPLY_BUFFER] = {0};
    good_reply(reply);
    assert_int_equal(check(reply, 104, &status), CHRONY_REPLY_GOOD);
    assert_int_equal(check(reply, 400, &status), CHRONY_REPLY_GOOD);
    assert_int_equal(status, 99);
}

static void reply_shorter_than_its_table_length_is_malformed(void **state)
{
    (void)state;
    uint16_t status;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    good_reply(reply);
    for (size_t length = 28; length < 104; length++) {
        assert_int_equal(check(reply, length, &status), CHRONY_REPLY_MALFORMED);
    }
    for (size_t length = 0; length < 28; length++) {
        assert_int_equal(check(reply, length, &status), CHRONY_REPLY_FOREIGN);
    }
}

static void reply_with_a_foreign_header_is_ignored(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint8_t value;
    } spoilt[] = {
        {0, 5},    // version
        {0, 7},    // version
        {1, 1},    // a request
        {2, 1},    // reserved
        {3, 1},    // reserved
        {5, 0x22}, // another command
        {16, 0},   // another sequence
        {19, 0},   // another sequence
    };
    for (size_t i = 0; i < sizeof spoilt / sizeof spoilt[0]; i++) {
        uint16_t status;
        uint8_t reply[CHRONY_REPLY_BUFFER];
        good_reply(reply);
        reply[spoilt[i].offset] = spoilt[i].value;
        assert_int_equal(check(reply, 104, &status), CHRONY_REPLY_FOREIGN);
    }
}

static void reply_of_another_code_is_malformed(void **state)
{
    (void)state;
    uint16_t status;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    good_reply(reply);
    bytes_put_u16(reply + 6, 6);
    assert_int_equal(check(reply, 104, &status), CHRONY_REPLY_MALFORMED);
}

static void refusals_are_told_apart(void **state)
{
    (void)state;
    static const uint16_t codes[] = {CHRONY_UNAUTHORISED, CHRONY_BAD_VERSION, CHRONY_BAD_LENGTH, 3,
                                     65535};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        uint16_t status = 0;
        uint8_t reply[CHRONY_REPLY_BUFFER];
        good_reply(reply);
        bytes_put_u16(reply + 6, 1);
        bytes_put_u16(reply + 8, codes[i]);
        assert_int_equal(check(reply, 28, &status), CHRONY_REPLY_REFUSED);
        assert_int_equal(status, codes[i]);
    }
}

static void version_complaint_of_another_version_is_a_refusal(void **state)
{
    (void)state;
    uint16_t status = 0;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    good_reply(reply);
    bytes_put_u16(reply + 8, CHRONY_BAD_VERSION);
    reply[0] = 5;
    assert_int_equal(check(reply, 28, &status), CHRONY_REPLY_REFUSED);
    assert_int_equal(status, CHRONY_BAD_VERSION);
    reply[0] = 3;
    assert_int_equal(check(reply, 28, &status), CHRONY_REPLY_FOREIGN);
}

static void tracking_fields_come_from_their_offsets(void **state)
{
    (void)state;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    struct report_tracking t;
    test_data_read("chrony/e02-large.bin", reply, sizeof reply);
    chrony_decode_tracking(reply, &t);
    assert_int_equal(t.ref_id, 0xc0ffee01);
    assert_int_equal(t.address.family, FAMILY_IPV6);
    assert_int_equal(t.stratum, 1);
    assert_int_equal(t.leap, 0);
    assert_int_equal(t.ref_time_s, INT64_C(4295032831));
    assert_int_equal(t.ref_time_ns, 999999999);
    assert_near(t.freq_ppm, 512, 0);
    assert_near(t.skew_ppm, 768, 1e-4);
}

static void reference_time_without_a_high_word_is_of_the_low_one(void **state)
{
    (void)state;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    struct report_tracking t;
    test_data_read("chrony/e01-odd.bin", reply, sizeof reply);
    chrony_decode_tracking(reply, &t);
    assert_int_equal(t.ref_time_s, 0);
    assert_int_equal(t.ref_time_ns, 999999999); // 1499999999 on the wire
}

static void source_replies_decode_as_chronyc_shows_them(void **state)
{
    (void)state;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    struct report_source s = {0};
    test_data_read("chrony/source-data.bin", reply, sizeof reply);
    chrony_decode_source_data(reply, &s);
    assert_int_equal(s.address.family, FAMILY_IPV4);
    assert_int_equal(s.poll_log2_s, -4);
    assert_int_equal(s.stratum, 3);
    assert_int_equal(s.state, 0);
    assert_int_equal(s.mode, 0);
    assert_int_equal(s.reach, 0377);
    assert_int_equal(s.since_sample_s, 0);
    assert_near(s.original_offset_s, 5.680e-07, 1e-10);
    assert_near(s.adjusted_offset_s, 5.58736e-07, 1e-12);
    assert_near(s.offset_error_s, 1.5288e-06, 1e-10);

    test_data_read("chrony/sourcestats.bin", reply, sizeof reply);
    chrony_decode_sourcestats(reply, &s);
    assert_int_equal(s.stats_valid, 1);
    assert_int_equal(s.samples, 24);
    assert_int_equal(s.runs, 13);
    assert_int_equal(s.span_s, 3);
    assert_near(s.std_dev_s, 6.533e-08, 1e-11);
    assert_near(s.resid_freq_ppm, 0.0017296, 1e-7);
    assert_near(s.skew_ppm, 0.054834, 1e-6);
    assert_near(s.est_offset_s, 1.3956e-10, 1e-14);
    assert_near(s.est_offset_error_s, 7.7557e-07, 1e-11);
}

static void statistics_of_another_source_are_left_out(void **state)
{
    (void)state;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    struct report_source s = {.address = {.bytes = {127, 0, 0, 2}, .family = FAMILY_IPV4}};
    test_data_read("chrony/sourcestats.bin", reply, sizeof reply);
    chrony_decode_sourcestats(reply, &s);
    assert_int_equal(s.stats_valid, 0);
    assert_int_equal(s.samples, 0);
}

static void statistics_of_a_refclock_match_by_reference_id(void **state)
{
    (void)state;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    struct report_source s = {.address = {.bytes = "GPS", .family = FAMILY_IPV4}, .mode = 2};
    test_data_read("chrony/sourcestats.bin", reply, sizeof reply);
    memcpy(reply + 28, "GPS", 4);
    memset(reply + 32, 0, 20);
    chrony_decode_sourcestats(reply, &s);
    assert_int_equal(s.stats_valid, 1);
}

static void counts_decode(void **state)
{
    (void)state;
    uint8_t reply[CHRONY_REPLY_BUFFER];
    struct report_activity a;
    test_data_read("chrony/n-sources.bin", reply, sizeof reply);
    assert_int_equal(chrony_decode_source_count(reply), 1);
    test_data_read("chrony/activity.bin", reply, sizeof reply);
    chrony_decode_activity(reply, &a);
    assert_int_equal(a.online, 1);
    assert_int_equal(a.offline, 0);
    assert_int_equal(a.burst_online + a.burst_offline + a.unresolved, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_for_tracking_is_the_captured_one),
        cmocka_unit_test(request_is_as_long_as_the_reply_and_carries_the_index),
        cmocka_unit_test(request_of_an_unknown_command_is_not_made),
        cmocka_unit_test(float_words_have_their_exact_values),
        cmocka_unit_test(reply_of_exact_or_greater_length_is_good),
        cmocka_unit_test(reply_shorter_than_its_table_length_is_malformed),
        cmocka_unit_test(reply_with_a_foreign_header_is_ignored),
        cmocka_unit_test(reply_of_another_code_is_malformed),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(version_complaint_of_another_version_is_a_refusal),
        cmocka_unit_test(tracking_fields_come_from_their_offsets),
        cmocka_unit_test(reference_time_without_a_high_word_is_of_the_low_one),
        cmocka_unit_test(source_replies_decode_as_chronyc_shows_them),
        cmocka_unit_test(statistics_of_another_source_are_left_out),
        cmocka_unit_test(statistics_of_a_refclock_match_by_reference_id),
        cmocka_unit_test(counts_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
