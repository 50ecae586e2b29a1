#include "core/step_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEADER "instant_before,instant_after,size_s,direction,sync_state,boot_id,seq\n"

static char text[STEP_LEDGER_TEXT_MAX];

static struct step_entry entry(int64_t size_ns, uint64_t seq)
{
    return (struct step_entry){
        .step = {.size_ns = size_ns,
                 .before = {INT64_C(1795348364328126006)},
                 .after = {INT64_C(1795348365428126006)}},
        .seq = seq,
        .boot_id = 0x0a2b3c4d,
        .sync_state = SYNC_COASTING,
    };
}

static void empty_ledger_is_its_header(void **state)
{
    (void)state;
    struct step_ledger ledger = {0};
    assert_int_equal(step_ledger_text(text, sizeof text, &ledger), strlen(HEADER));
    assert_string_equal(text, HEADER);
}

static void step_is_a_row_of_its_own(void **state)
{
    (void)state;
    struct step_ledger ledger = {0};
    struct step_entry forward = entry(100000106, 77);
    struct step_entry backward = entry(-3600 * NS_PER_S - 5, 78);
    step_ledger_add(&ledger, &forward);
    step_ledger_add(&ledger, &backward);
    step_ledger_text(text, sizeof text, &ledger);
    assert_string_equal(text, HEADER "2026-11-22T11:52:44.328126Z,2026-11-22T11:52:45.428126Z,"
                                     "+0.100000106,forward,coasting,0a2b3c4d,77\n"
                                     "2026-11-22T11:52:44.328126Z,2026-11-22T11:52:45.428126Z,"
                                     "-3600.000000005,backward,coasting,0a2b3c4d,78\n");
}

static void oldest_steps_make_room(void **state)
{
    (void)state;
    struct step_ledger ledger = {0};
    for (uint64_t seq = 1; seq <= STEP_LEDGER_MAX + 3; seq++) {
        struct step_entry e = entry(1, seq);
        step_ledger_add(&ledger, &e);
    }
    step_ledger_text(text, sizeof text, &ledger);
    assert_null(strstr(text, ",3\n"));
    assert_non_null(strstr(text, HEADER "2026-11-22T11:52:44.328126Z,2026-11-22T11:52:45.428126Z,"
                                        "+0.000000001,forward,coasting,0a2b3c4d,4\n"));
    assert_non_null(strstr(text, ",35\n"));
}

static void largest_ledger_fits_its_buffer(void **state)
{
    (void)state;
    struct step_ledger ledger = {0};
    for (int i = 0; i < STEP_LEDGER_MAX; i++) {
        struct step_entry e = entry(INT64_MIN, UINT64_MAX);
        e.sync_state = SYNC_UNREACHABLE;
        step_ledger_add(&ledger, &e);
    }
    assert_in_range(step_ledger_text(text, sizeof text, &ledger), 4000, sizeof text - 2);
    assert_non_null(strstr(text, ",-9223372036.854775808,backward,unreachable,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_ledger_is_its_header),
        cmocka_unit_test(step_is_a_row_of_its_own),
        cmocka_unit_test(oldest_steps_make_room),
        cmocka_unit_test(largest_ledger_fits_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
