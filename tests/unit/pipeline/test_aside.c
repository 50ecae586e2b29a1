#include "pipeline/aside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_segment_set_aside_is_held_until_its_time(void **state)
{
    (void)state;
    struct aside aside = {.count = 0};
    assert_false(aside_holds(&aside, 7, 0));
    aside_add(&aside, 7, 100);
    assert_true(aside_holds(&aside, 7, 99));
    assert_false(aside_holds(&aside, 7, 100));
    assert_false(aside_holds(&aside, 8, 0));
}

static void the_earliest_time_is_known(void **state)
{
    (void)state;
    struct aside aside = {.count = 0};
    assert_int_equal(aside_next_ns(&aside), ASIDE_NEVER_NS);
    aside_add(&aside, 1, 300);
    aside_add(&aside, 2, 100);
    aside_add(&aside, 3, 200);
    assert_int_equal(aside_next_ns(&aside), 100);
    aside_expire(&aside, 100);
    assert_int_equal(aside_next_ns(&aside), 200);
    assert_true(aside_holds(&aside, 1, 250));
    aside_expire(&aside, 300);
    assert_int_equal(aside.count, 0);
}

static void without_room_the_one_due_first_is_forgotten(void **state)
{
    (void)state;
    struct aside aside = {.count = 0};
    for (uint64_t i = 0; i < ASIDE_MAX; i++) {
        aside_add(&aside, i, 1000 + (int64_t)i);
    }
    aside_add(&aside, 99, 5000);
    assert_int_equal(aside.count, ASIDE_MAX);
    assert_false(aside_holds(&aside, 0, 0));
    assert_true(aside_holds(&aside, 1, 0));
    assert_true(aside_holds(&aside, 99, 0));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_set_aside_is_held_until_its_time),
        cmocka_unit_test(the_earliest_time_is_known),
        cmocka_unit_test(without_room_the_one_due_first_is_forgotten),
    };
    return cmocka_run_group_tests_name("aside", tests, NULL, NULL);
}
