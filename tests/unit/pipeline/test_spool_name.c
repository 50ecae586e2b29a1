#include "spool_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    const char *text;
    struct spool_name name;
} ours[] = {
    {"0000000041.csv", {SPOOL_SEALED, 41, 0, 0, 0}},
    {"999999999999999.csv", {SPOOL_SEALED, SPOOL_NUMBER_MAX, 0, 0, 0}},
    {"0000000042-1a2b3c4d-3601.csv.part", {SPOOL_PART, 42, 0x1a2b3c4d, 3601, 0}},
    {"0000000042-ffffffff-1.csv.part", {SPOOL_PART, 42, UINT32_MAX, 1, 0}},
    {"0000000007-1a2b3c4d-1-3600.evicted", {SPOOL_EVICTED, 7, 0x1a2b3c4d, 1, 3600}},
};

static void a_name_of_ours_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ours); i++) {
        char text[SPOOL_NAME_MAX];
        spool_name_format(text, &ours[i].name);
        assert_string_equal(text, ours[i].text);
        struct spool_name read = spool_name_parse(text);
        assert_int_equal(read.kind, ours[i].name.kind);
        assert_int_equal(read.number, ours[i].name.number);
        assert_int_equal(read.boot_id, ours[i].name.boot_id);
        assert_int_equal(read.first_seq, ours[i].name.first_seq);
        assert_int_equal(read.last_seq, ours[i].name.last_seq);
    }
}

static void what_we_would_not_have_written_is_a_stranger(void **state)
{
    static const char *const strangers[] = {
        "",
        "bad",
        "41.csv",
        "0000000000.csv",
        "0000000041.CSV",
        "0000000041.csv~",
        "0000000041",
        "1000000000000000.csv", // more than there can be
        "99999999999999999999999.csv",
        "0000000042-1A2B3C4D-1.csv.part",
        "0000000042-11a2b3c4d-1.csv.part", // more than 32 bits
        "0000000042-11112222333344445-1.csv.part",
        "0000000042-1a2b3c4d-99999999999999999999.csv.part",
        "0000000042-1a2b3c4d-01.csv.part",
        "0000000042-1a2b3c4d.csv.part",
        "0000000007-1a2b3c4d-1-99999999999999999999.evicted",
        "0000000007-1a2b3c4d-1-.evicted",
        "0000000007-1a2b3c4d-1-3600.evicted.1",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(strangers); i++) {
        if (spool_name_parse(strangers[i]).kind != SPOOL_STRANGER) {
            fail_msg("'%s' was taken", strangers[i]);
        }
    }
    char text[SPOOL_NAME_MAX] = "x";
    spool_name_format(text, &(struct spool_name){.kind = SPOOL_STRANGER});
    assert_string_equal(text, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_of_ours_is_read_as_it_was_written),
        cmocka_unit_test(what_we_would_not_have_written_is_a_stranger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
