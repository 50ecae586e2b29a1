#include "core/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void statuses_are_the_words_of_chronyc_tracking(void **state)
{
    (void)state;
    assert_string_equal(clock_status_name(STATUS_UNKNOWN), "Unknown");
    assert_string_equal(clock_status_name(STATUS_NORMAL), "Normal");
    assert_string_equal(clock_status_name(STATUS_INSERT_SECOND), "Insert second");
    assert_string_equal(clock_status_name(STATUS_DELETE_SECOND), "Delete second");
    assert_string_equal(clock_status_name(STATUS_NOT_SYNCHRONISED), "Not synchronised");
}

static void states_and_sources_have_their_documented_words(void **state)
{
    (void)state;
    assert_string_equal(sync_state_name(SYNC_UNKNOWN), "unknown");
    assert_string_equal(sync_state_name(SYNC_SYNCED), "synced");
    assert_string_equal(sync_state_name(SYNC_COASTING), "coasting");
    assert_string_equal(sync_state_name(SYNC_UNSYNCED), "unsynced");
    assert_string_equal(sync_state_name(SYNC_UNREACHABLE), "unreachable");
    assert_string_equal(source_id_name(SOURCE_NONE), "none");
    assert_string_equal(source_id_name(SOURCE_CHRONY), "chrony");
    assert_string_equal(source_id_name(SOURCE_CHRONYC), "chronyc");
    assert_string_equal(source_id_name(SOURCE_KERNEL), "kernel");
    assert_string_equal(source_id_name(SOURCE_SNTP), "sntp");
}

static void a_value_out_of_range_has_the_unknown_word(void **state)
{
    (void)state;
    for (int i = 5; i < 256; i++) {
        assert_string_equal(clock_status_name((enum clock_status)i), "Unknown");
        assert_string_equal(sync_state_name((enum sync_state)i), "unknown");
        assert_string_equal(source_id_name((enum source_id)i), "none");
    }
    assert_string_equal(clock_status_name((enum clock_status) - 1), "Unknown");
}

static void only_a_synchronised_and_synced_instant_is_good(void **state)
{
    (void)state;
    for (int status = STATUS_UNKNOWN; status <= STATUS_NOT_SYNCHRONISED; status++) {
        for (int sync = SYNC_UNKNOWN; sync <= SYNC_UNREACHABLE; sync++) {
            bool good = reading_is_good((enum clock_status)status, (enum sync_state)sync);
            bool told = status == STATUS_NORMAL || status == STATUS_INSERT_SECOND ||
                        status == STATUS_DELETE_SECOND;
            assert_int_equal(good, told && sync == SYNC_SYNCED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_are_the_words_of_chronyc_tracking),
        cmocka_unit_test(states_and_sources_have_their_documented_words),
        cmocka_unit_test(a_value_out_of_range_has_the_unknown_word),
        cmocka_unit_test(only_a_synchronised_and_synced_instant_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
