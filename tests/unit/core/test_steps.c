#include "core/steps.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS         1000000
#define MAX_SLEW_PPM 83333
#define YEARS_50_NS  (INT64_C(50) * 31556952 * NS_PER_S)
#define SEED         UINT64_C(0x9e3779b97f4a7c15)

// A machine with three clocks, read as the program does: each reading is uncertain by its window.
struct machine {
    uint64_t random;
    int64_t raw_ns;
    int64_t mono_ns;
    int64_t wall_ns;
    int64_t slew_ppm;      // both MONOTONIC and REALTIME, as the kernel does it
    int64_t wall_only_ppm; // REALTIME alone, as a virtual clock does it
    struct step_detector detector;
};

static struct machine machine_new(void)
{
    struct machine m = {
        .random = SEED,
        .raw_ns = 5000 * NS_PER_S,
        .mono_ns = 5001 * NS_PER_S,
        .wall_ns = INT64_C(1795348000) * NS_PER_S,
    };
    steps_init(&m.detector);
    return m;
}

static int64_t random_below(struct machine *m, int64_t bound)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (int64_t)(m->random % (uint64_t)bound);
}

static void pass(struct machine *m, int64_t ns)
{
    int64_t slewed_ns = ns * m->slew_ppm / 1000000;
    m->raw_ns += ns;
    m->mono_ns += ns + slewed_ns;
    m->wall_ns += ns + slewed_ns + ns * m->wall_only_ppm / 1000000;
}

static struct clock_reading read_clocks(struct machine *m)
{
    int64_t window_ns = 40 + random_below(m, 3000);
    int64_t error_ns = random_below(m, window_ns) - window_ns / 2;
    return (struct clock_reading){
        .mono = {m->mono_ns},
        .raw = {m->raw_ns},
        .wall = {m->wall_ns + error_ns},
        .window_ns = (uint32_t)window_ns,
    };
}

// The next row, a little late as on a busy camera.
static bool row(struct machine *m, bool was_set, struct step *out)
{
    pass(m, NS_PER_S + random_below(m, 2 * NS_PER_MS));
    struct clock_reading now = read_clocks(m);
    return steps_observe(&m->detector, &now, was_set, out);
}

static void quiet_rows(struct machine *m, int count)
{
    struct step step;
    for (int i = 0; i < count; i++) {
        if (row(m, false, &step)) {
            fail_msg("row %d: a step of %" PRId64 " ns, seed %" PRIx64, i, step.size_ns, SEED);
        }
    }
}

static void assert_step(const struct step *step, int64_t size_ns)
{

    assert_true(step->uncertainty_ns < 10000);
    assert_true(llabs(step->size_ns - size_ns) <= step->uncertainty_ns);
}

static void million_rows_of_the_largest_slew_show_no_step(void **state)
{
    (void)state;
    struct machine m = machine_new();
    m.slew_ppm = MAX_SLEW_PPM;
    quiet_rows(&m, ROWS);
    m.slew_ppm = -MAX_SLEW_PPM;
    quiet_rows(&m, ROWS);
}

static void million_rows_of_a_wall_clock_bent_alone_show_no_step(void **state)
{
    (void)state;
    struct machine m = machine_new();
    m.wall_only_ppm = MAX_SLEW_PPM;
    quiet_rows(&m, ROWS);
    m.wall_only_ppm = 100;
    quiet_rows(&m, ROWS);
    m.wall_only_ppm = 0;
    quiet_rows(&m, 10);
}

static void slew_that_comes_and_goes_shows_no_step(void **state)
{
    (void)state;
    struct machine m = machine_new();
    for (int i = 0; i < 1000; i++) {
        m.slew_ppm = random_below(&m, 2 * MAX_SLEW_PPM) - MAX_SLEW_PPM;
        quiet_rows(&m, 1 + (int)random_below(&m, 20));
    }
}

static void large_step_is_called_at_once_and_once(void **state)
{
    (void)state;
    static const int64_t sizes_ns[] = {100 * NS_PER_MS, -3600 * NS_PER_S, YEARS_50_NS,
                                       -YEARS_50_NS};
    struct machine m = machine_new();
    quiet_rows(&m, 100);
    for (size_t i = 0; i < sizeof sizes_ns / sizeof sizes_ns[0]; i++) {
        struct step step;
        m.wall_ns += sizes_ns[i];
        assert_true(row(&m, false, &step));
        assert_step(&step, sizes_ns[i]);
        assert_true(llabs(step.after.ns - m.wall_ns) <= step.uncertainty_ns);
        quiet_rows(&m, 100);
    }
}

static void small_step_that_the_kernel_announced_is_called_at_once(void **state)
{
    (void)state;
    struct machine m = machine_new();
    struct step step;
    quiet_rows(&m, 3);
    m.wall_ns -= 10000;
    assert_true(row(&m, true, &step));
    assert_step(&step, -10000);
    quiet_rows(&m, 100);
}

static void small_step_that_nobody_announced_is_called_a_row_later(void **state)
{
    (void)state;
    struct machine m = machine_new();
    struct step step;
    quiet_rows(&m, 3);
    int64_t before_ns = m.wall_ns;
    m.wall_ns += 20 * NS_PER_MS;
    assert_false(row(&m, false, &step));
    int64_t after_ns = m.wall_ns;
    assert_true(row(&m, false, &step));
    assert_step(&step, 20 * NS_PER_MS);
    assert_true(llabs(step.before.ns - before_ns) < 2000); // the rows around it, not the last two
    assert_true(llabs(step.after.ns - after_ns) < 2000);
    quiet_rows(&m, 100);
}

static void announced_steps_in_successive_rows_are_called_each(void **state)
{
    (void)state;
    struct machine m = machine_new();
    struct step step;
    quiet_rows(&m, 3);
    for (int i = 0; i < 10; i++) {
        m.wall_ns += NS_PER_MS;
        assert_true(row(&m, true, &step));
        assert_step(&step, NS_PER_MS);
    }
    quiet_rows(&m, 100);
}

static void large_step_takes_a_waiting_small_one_with_it(void **state)
{
    (void)state;
    struct machine m = machine_new();
    struct step step;
    quiet_rows(&m, 3);
    m.wall_ns += NS_PER_MS;
    assert_false(row(&m, false, &step));
    m.wall_ns += NS_PER_S;
    assert_true(row(&m, false, &step));
    assert_step(&step, NS_PER_S + NS_PER_MS);
    quiet_rows(&m, 100);
}

static void setting_the_clock_to_the_same_time_is_no_step(void **state)
{
    (void)state;
    struct machine m = machine_new();
    struct step step;
    quiet_rows(&m, 3);
    assert_false(row(&m, true, &step));
    quiet_rows(&m, 3);
}

static void step_during_a_drift_is_still_called(void **state)
{
    (void)state;
    struct machine m = machine_new();
    struct step step;
    m.wall_only_ppm = 100;
    quiet_rows(&m, 100);
    m.wall_ns += NS_PER_S;
    assert_true(row(&m, false, &step));
    assert_true(llabs(step.size_ns - NS_PER_S) < 200000); // the drift of a row is in it
    quiet_rows(&m, 100);
}

static void step_over_a_gap_is_called(void **state)
{
    (void)state;
    struct machine m = machine_new();
    struct step step;
    quiet_rows(&m, 3);
    pass(&m, 3600 * NS_PER_S);
    m.wall_ns += 400 * NS_PER_S;
    assert_true(row(&m, false, &step));
    assert_step(&step, 400 * NS_PER_S);
    quiet_rows(&m, 3);
}

static void slew_rate_is_that_of_the_clock_against_the_crystal(void **state)
{
    (void)state;
    struct machine m = machine_new();
    int64_t ppt = 0;
    quiet_rows(&m, 1);
    assert_false(steps_slew_ppt(&m.detector, &ppt));
    quiet_rows(&m, 40);
    assert_true(steps_slew_ppt(&m.detector, &ppt));
    assert_true(llabs(ppt) < 1000);
    m.slew_ppm = 100;
    quiet_rows(&m, 30);
    assert_true(steps_slew_ppt(&m.detector, &ppt));
    assert_true(llabs(ppt - INT64_C(100000000)) < 1000);
    m.slew_ppm = -MAX_SLEW_PPM;
    quiet_rows(&m, 30);
    assert_true(steps_slew_ppt(&m.detector, &ppt));
    assert_true(llabs(ppt + MAX_SLEW_PPM * INT64_C(1000000)) < 1000000);
}

static void wide_window_hides_no_more_than_it_must(void **state)
{
    (void)state;
    struct step_detector d;
    struct step step;
    steps_init(&d);
    struct clock_reading a = {.mono = {0}, .raw = {0}, .wall = {0}, .window_ns = 1000000};
    struct clock_reading b = {
        .mono = {NS_PER_S}, .raw = {NS_PER_S}, .wall = {NS_PER_S + 1001000}, .window_ns = 1000000};
    assert_false(steps_observe(&d, &a, true, &step));
    assert_false(steps_observe(&d, &b, true, &step));
    steps_init(&d);
    b.wall.ns++;
    assert_false(steps_observe(&d, &a, true, &step));
    assert_true(steps_observe(&d, &b, true, &step));
    assert_int_equal(step.uncertainty_ns, 1001000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(million_rows_of_the_largest_slew_show_no_step),
        cmocka_unit_test(million_rows_of_a_wall_clock_bent_alone_show_no_step),
        cmocka_unit_test(slew_that_comes_and_goes_shows_no_step),
        cmocka_unit_test(large_step_is_called_at_once_and_once),
        cmocka_unit_test(small_step_that_the_kernel_announced_is_called_at_once),
        cmocka_unit_test(small_step_that_nobody_announced_is_called_a_row_later),
        cmocka_unit_test(announced_steps_in_successive_rows_are_called_each),
        cmocka_unit_test(large_step_takes_a_waiting_small_one_with_it),
        cmocka_unit_test(setting_the_clock_to_the_same_time_is_no_step),
        cmocka_unit_test(step_during_a_drift_is_still_called),
        cmocka_unit_test(step_over_a_gap_is_called),
        cmocka_unit_test(slew_rate_is_that_of_the_clock_against_the_crystal),
        cmocka_unit_test(wide_window_hides_no_more_than_it_must),
    };
    print_message("seed %" PRIx64 "\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
