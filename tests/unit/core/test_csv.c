#include "core/csv.h"
#include "csv_reference.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// ctest's share; `test_csv ROWS [SEED]` compares any number.
#define RANDOM_ROWS 200000
#define SEED        UINT64_C(88172645463325252)

static uint64_t random_rows = RANDOM_ROWS;
static uint64_t seed = SEED;

static struct record usual_record(void)
{
    return (struct record){
        .seq = 3601,
        .boot_id = 0x0a2b3c4d,
        .valid = VALID_CLOCK_DIFF | VALID_STRATUM | VALID_REF_AGE | VALID_LAST_OFFSET | VALID_FREQ |
                 VALID_ROOT_DELAY | VALID_ROOT_DISPERSION | VALID_ERROR_BOUND,
        .read_window_ns = 88,
        .wall_ns = INT64_C(1720123456789012345),
        .elapsed_mono_us = 1000023,
        .elapsed_wall_us = 999992,
        .elapsed_raw_ns = 1000019345,
        .clock_diff_ns = 35515,
        .ref_age_ns = INT64_C(12345678901),
        .last_offset_ns = -4321,
        .freq_ppt = -12345678,
        .root_delay_ns = 1234567,
        .root_dispersion_ns = 45678,
        .error_bound_ns = 698476,
        .stratum = 3,
        .status = STATUS_NORMAL,
        .sync_state = SYNC_SYNCED,
        .source = SOURCE_CHRONY,
    };
}

static void assert_row(const struct record *record, const char *expected)
{
    char row[CSV_ROW_MAX + 1];
    size_t length = csv_format_row(row, record);
    assert_in_range(length, 1, CSV_ROW_MAX);
    row[length] = '\0';
    assert_string_equal(row, expected);
}

static void a_usual_record_becomes_the_documented_row(void **state)
{
    (void)state;
    struct record record = usual_record();
    assert_row(&record, "1000023,999992,1720123456789012,0.000035515,Normal,0a2b3c4d,3601,"
                        "1000019345,88,synced,chrony,3,12.345,-0.000004321,-12.345678,"
                        "0.001234567,0.000045678,0.000698476,\n");
}

static void absent_values_are_empty_fields_not_zeros(void **state)
{
    (void)state;
    struct record record = usual_record();
    record.valid = 0;
    record.status = STATUS_UNKNOWN;
    record.sync_state = SYNC_UNREACHABLE;
    record.source = SOURCE_NONE;
    assert_row(&record, "1000023,999992,1720123456789012,,Unknown,0a2b3c4d,3601,1000019345,88,"
                        "unreachable,none,,,,,,,,\n");
}

static void events_are_words_joined_by_semicolons(void **state)
{
    (void)state;
    struct record record = usual_record();
    record.valid = 0;
    record.events =
        EVENT_START | EVENT_STEP | EVENT_GAP | EVENT_DROPPED | EVENT_EVICTED | EVENT_STATE;
    record.step_ns = 1500000000;
    record.gap_rows = 2;
    record.dropped_rows = 17;
    record.evicted_first = 5;
    record.evicted_last = 9;
    record.old_state = SYNC_UNSYNCED;
    assert_row(&record,
               "1000023,999992,1720123456789012,,Normal,0a2b3c4d,3601,1000019345,88,"
               "synced,chrony,,,,,,,,"
               "start;step=+1.500000000;gap=2;dropped=17;evicted=5-9;state=unsynced>synced\n");
    record.events = EVENT_STEP;
    record.step_ns = -1;
    assert_row(&record, "1000023,999992,1720123456789012,,Normal,0a2b3c4d,3601,1000019345,88,"
                        "synced,chrony,,,,,,,,step=-0.000000001\n");
}

static void a_time_before_1970_is_rounded_down(void **state)
{
    (void)state;
    struct record record = usual_record();
    char row[CSV_ROW_MAX];
    record.wall_ns = -1;
    csv_format_row(row, &record);
    assert_memory_equal(row, "1000023,999992,-1,", 18);
    record.wall_ns = -1000;
    csv_format_row(row, &record);
    assert_memory_equal(row, "1000023,999992,-1,", 18);
    record.wall_ns = -1001;
    csv_format_row(row, &record);
    assert_memory_equal(row, "1000023,999992,-2,", 18);
}

static void the_longest_row_fits_and_nothing_behind_it_is_touched(void **state)
{
    (void)state;
    struct record record;
    csv_reference_longest_record(&record);
    char reference[2 * CSV_ROW_MAX];
    size_t expected = csv_reference_row(reference, sizeof reference, &record);
    assert_in_range(expected, 400, CSV_ROW_MAX);

    char row[CSV_ROW_MAX];
    memset(row, '#', sizeof row);
    assert_int_equal(csv_format_row(row, &record), expected);
    assert_memory_equal(row, reference, expected);
    for (size_t i = expected; i < sizeof row; i++) {
        assert_int_equal(row[i], '#');
    }
}

static void no_random_record_has_a_longer_row_than_the_longest(void **state)
{
    (void)state;
    struct record record;
    char row[CSV_ROW_MAX];
    csv_reference_longest_record(&record);
    size_t longest = csv_format_row(row, &record);
    uint64_t random = seed;
    for (int i = 0; i < 20000; i++) {
        csv_reference_random_record(&record, &random);
        assert_in_range(csv_format_row(row, &record), 1, longest);
    }
}

static void rows_equal_the_reference_byte_for_byte(void **state)
{
    (void)state;
    uint64_t random = seed;
    print_message("seed %" PRIu64 ", %" PRIu64 " rows\n", seed, random_rows);
    for (uint64_t i = 0; i < random_rows; i++) {
        struct record record;
        char row[CSV_ROW_MAX];
        char reference[2 * CSV_ROW_MAX];
        csv_reference_random_record(&record, &random);
        size_t length = csv_format_row(row, &record);
        size_t expected = csv_reference_row(reference, sizeof reference, &record);
        if (length != expected || memcmp(row, reference, length) != 0) {
            fail_msg("row %" PRIu64 "\n     got %.*s\nexpected %s", i, (int)length, row, reference);
        }
        length = csv_format_clock_columns(row, &record);
        expected = csv_reference_clock_columns(reference, sizeof reference, &record);
        if (length != expected || memcmp(row, reference, length) != 0) {
            fail_msg("clock columns %" PRIu64 "\n     got %.*s\nexpected %s", i, (int)length, row,
                     reference);
        }
    }
}

static void the_header_names_as_many_columns_as_a_row_has(void **state)
{
    (void)state;
    struct record record = usual_record();
    char row[CSV_ROW_MAX];
    size_t length = csv_format_row(row, &record);
    int header_commas = 0;
    int row_commas = 0;
    for (size_t i = 0; csv_header[i] != '\0'; i++) {
        header_commas += csv_header[i] == ',';
    }
    for (size_t i = 0; i < length; i++) {
        row_commas += row[i] == ',';
    }
    assert_int_equal(header_commas, 18);
    assert_int_equal(row_commas, 18);
    assert_int_equal(csv_header[strlen(csv_header) - 1], '\n');
}

static void every_written_row_is_read_back_with_its_key(void **state)
{
    (void)state;
    uint64_t random = seed;
    for (int i = 0; i < 20000; i++) {
        struct record record;
        char row[CSV_ROW_MAX];
        struct csv_key key;
        csv_reference_random_record(&record, &random);
        size_t length = csv_format_row(row, &record);
        assert_int_equal(csv_parse_key(row, length - 1, &key), 0);
        assert_int_equal(key.boot_id, record.boot_id);
        assert_true(key.seq == record.seq);
    }
}

static void a_row_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct record record = usual_record();
    char row[CSV_ROW_MAX];
    struct csv_key key;
    size_t whole = csv_format_row(row, &record) - 1;
    for (size_t length = 0; length < whole; length++) {
        assert_int_equal(csv_parse_key(row, length, &key), -EBADMSG);
    }
    assert_int_equal(csv_parse_key(row, whole, &key), 0);
    // With its LF it is a row and something more.
    assert_int_equal(csv_parse_key(row, whole + 1, &key), -EBADMSG);
}

static void a_row_with_a_foreign_byte_anywhere_is_refused(void **state)
{
    (void)state;
    struct record record = usual_record();
    char row[CSV_ROW_MAX];
    struct csv_key key;
    size_t whole = csv_format_row(row, &record) - 1;
    for (size_t i = 0; i < whole; i++) {
        for (size_t f = 0; f < 5; f++) {
            char saved = row[i];
            row[i] = "\0\n,X\xff"[f];
            if (row[i] != saved) {
                assert_int_equal(csv_parse_key(row, whole, &key), -EBADMSG);
            }
            row[i] = saved;
        }
    }
}

static void rows_that_are_not_ours_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ",,,,,,,,,,,,,,,,,,",
        // the older logs' row
        "1000023,999992,1720123456789012,0.000035,Normal",
        // one column too many, too few
        "1,2,3,0.000000001,Normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,,,",
        "1,2,3,0.000000001,Normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,",
        // wrong number of decimals, no digit before the point, plus sign, exponent
        "1,2,3,0.00000001,Normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,,",
        "1,2,3,.000000001,Normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,,",
        "1,2,3,+0.000000001,Normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,,",
        "1,2,3,1e-9,Normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,,",
        // words in another case, unknown words
        "1,2,3,0.000000001,normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,,",
        "1,2,3,0.000000001,Normal,0a2b3c4d,7,8,9,sync,chrony,,,,,,,,",
        "1,2,3,0.000000001,Normal,0a2b3c4d,7,8,9,synced,ntpd,,,,,,,,",
        // boot id too short, upper case; seq negative, empty, beyond 64 bits
        "1,2,3,0.000000001,Normal,a2b3c4d,7,8,9,synced,chrony,,,,,,,,",
        "1,2,3,0.000000001,Normal,0A2B3C4D,7,8,9,synced,chrony,,,,,,,,",
        "1,2,3,0.000000001,Normal,0a2b3c4d,-7,8,9,synced,chrony,,,,,,,,",
        "1,2,3,0.000000001,Normal,0a2b3c4d,,8,9,synced,chrony,,,,,,,,",
        "1,2,3,0.000000001,Normal,0a2b3c4d,18446744073709551616,8,9,synced,chrony,,,,,,,,",
        "1,2,3,0.000000001,Normal,0a2b3c4d,99999999999999999999,8,9,synced,chrony,,,,,,,,",
    };
    struct csv_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (csv_parse_key(bad[i], strlen(bad[i]), &key) != -EBADMSG) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    const char good[] = "1,2,3,0.000000001,Normal,0a2b3c4d,18446744073709551615,8,9,synced,chrony,"
                        ",,,,,,,";
    assert_int_equal(csv_parse_key(good, strlen(good), &key), 0);
    assert_true(key.seq == UINT64_MAX);
}

static void assert_legacy(const struct record *record, const char *expected)
{
    char row[CSV_ROW_MAX];
    char legacy[CSV_ROW_MAX + 1];
    size_t length = csv_format_row(row, record);
    int projected = csv_project_legacy(legacy, row, length - 1);
    assert_in_range(projected, 1, CSV_ROW_MAX);
    legacy[projected] = '\0';
    assert_string_equal(legacy, expected);
}

static void the_legacy_row_has_five_columns_and_six_signed_decimals(void **state)
{
    (void)state;
    struct record record = usual_record();
    assert_legacy(&record, "1000023,999992,1720123456789012,0.000036,Normal\n");
    record.clock_diff_ns = -1234567890;
    record.status = STATUS_INSERT_SECOND;
    assert_legacy(&record, "1000023,999992,1720123456789012,-1.234568,Insert second\n");
}

static void the_legacy_row_has_zero_where_the_diff_is_absent(void **state)
{
    (void)state;
    struct record record = usual_record();
    record.valid &= ~(uint32_t)VALID_CLOCK_DIFF;
    record.status = STATUS_NOT_SYNCHRONISED;
    assert_legacy(&record, "1000023,999992,1720123456789012,0.000000,Not synchronised\n");
}

static void the_legacy_diff_is_rounded_to_the_nearest_microsecond(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *diff;
    } cases[] = {
        {499, "0.000000"},
        {500, "0.000001"},
        {-499, "0.000000"},
        {-500, "-0.000001"},
        {999999500, "1.000000"},
        {-999999499, "-0.999999"},
        {0, "0.000000"},
        {INT64_MAX, "9223372036.854776"},
        {INT64_MIN, "-9223372036.854776"},
    };
    struct record record = usual_record();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[CSV_ROW_MAX];
        snprintf(expected, sizeof expected, "1000023,999992,1720123456789012,%s,Normal\n",
                 cases[i].diff);
        record.clock_diff_ns = cases[i].ns;
        assert_legacy(&record, expected);
    }
}

static void a_row_that_is_not_ours_is_not_projected(void **state)
{
    (void)state;
    char legacy[CSV_ROW_MAX];
    const char five[] = "1000023,999992,1720123456789012,0.000035,Normal";
    assert_int_equal(csv_project_legacy(legacy, five, strlen(five)), -EBADMSG);
    // More seconds than 64 bits of nanoseconds hold, by one and by far.
    const char over[] = "1,2,3,9223372036.854775808,Normal,0a2b3c4d,7,8,9,synced,chrony,,,,,,,,";
    assert_int_equal(csv_project_legacy(legacy, over, strlen(over)), -EBADMSG);
    const char far[] = "1,2,3,9999999999999999999.999999999,Normal,0a2b3c4d,7,8,9,synced,chrony,"
                       ",,,,,,,";
    assert_int_equal(csv_project_legacy(legacy, far, strlen(far)), -EBADMSG);
}

static void losses_are_read_back_from_among_the_other_events(void **state)
{
    (void)state;
    static const uint32_t sets[] = {0, EVENT_START | EVENT_STATE, EVENT_DROPPED, EVENT_EVICTED,
                                    EVENT_START | EVENT_STEP | EVENT_GAP | EVENT_DROPPED |
                                        EVENT_EVICTED | EVENT_STATE};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct record record = {.seq = 100,
                                .boot_id = 1,
                                .events = sets[i],
                                .gap_rows = 7,
                                .dropped_rows = UINT32_MAX,
                                .evicted_first = 3,
                                .evicted_last = UINT64_MAX,
                                .step_ns = -5};
        char row[CSV_ROW_MAX];
        size_t length = csv_format_row(row, &record);
        struct csv_losses losses;
        assert_int_equal(csv_parse_losses(row, length - 1, &losses), 0);
        bool dropped = sets[i] & EVENT_DROPPED;
        bool evicted = sets[i] & EVENT_EVICTED;
        assert_true(losses.dropped == (dropped ? UINT32_MAX : 0));
        assert_true(losses.evicted_first == (evicted ? 3 : 0));
        assert_true(losses.evicted_last == (evicted ? UINT64_MAX : 0));
        assert_int_equal(csv_parse_losses(row, length, &losses), -EBADMSG); // its LF is no event
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        random_rows = strtoull(argv[1], NULL, 10);
    }
    if (argc > 2) {
        seed = strtoull(argv[2], NULL, 10);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usual_record_becomes_the_documented_row),
        cmocka_unit_test(absent_values_are_empty_fields_not_zeros),
        cmocka_unit_test(events_are_words_joined_by_semicolons),
        cmocka_unit_test(a_time_before_1970_is_rounded_down),
        cmocka_unit_test(the_longest_row_fits_and_nothing_behind_it_is_touched),
        cmocka_unit_test(no_random_record_has_a_longer_row_than_the_longest),
        cmocka_unit_test(rows_equal_the_reference_byte_for_byte),
        cmocka_unit_test(the_header_names_as_many_columns_as_a_row_has),
        cmocka_unit_test(every_written_row_is_read_back_with_its_key),
        cmocka_unit_test(losses_are_read_back_from_among_the_other_events),
        cmocka_unit_test(a_row_cut_anywhere_is_refused),
        cmocka_unit_test(a_row_with_a_foreign_byte_anywhere_is_refused),
        cmocka_unit_test(rows_that_are_not_ours_are_refused),
        cmocka_unit_test(the_legacy_row_has_five_columns_and_six_signed_decimals),
        cmocka_unit_test(the_legacy_row_has_zero_where_the_diff_is_absent),
        cmocka_unit_test(the_legacy_diff_is_rounded_to_the_nearest_microsecond),
        cmocka_unit_test(a_row_that_is_not_ours_is_not_projected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
