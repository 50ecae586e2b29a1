#include "pipeline/ticker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int open_bell(void **state)
{
    static struct bell bell;
    *state = &bell;
    return bell_init(&bell);
}

static int close_bell(void **state)
{
    bell_destroy(*state);
    return 0;
}

static void ticker_never_fires_before_its_grid(void **state)
{
    struct ticker ticker;
    mono_time start = mono_now();
    const int64_t interval_ns = 3 * NS_PER_MS;
    assert_int_equal(ticker_open(&ticker, start, interval_ns), 0);
    int64_t ticks = 0;
    for (int i = 0; i < 50; i++) {
        uint64_t missed = 0;
        assert_int_equal(ticker_wait(&ticker, *state, -1, &missed), TICKER_TICK);
        ticks += 1 + (int64_t)missed;
        // Tick number n belongs to start + (n-1) intervals: late on a busy machine, never early.
        int64_t late_ns = mono_diff_ns(mono_now(), start) - (ticks - 1) * interval_ns;
        assert_true(late_ns >= 0);
    }
    ticker_close(&ticker);
}

static void ticker_counts_the_ticks_that_passed_unseen(void **state)
{
    struct ticker ticker;
    mono_time start = mono_now();
    assert_int_equal(ticker_open(&ticker, start, NS_PER_MS), 0);
    usleep(20000);
    uint64_t missed = 0;
    assert_int_equal(ticker_wait(&ticker, *state, -1, &missed), TICKER_TICK);
    assert_true(missed >= 19);
    ticker_close(&ticker);
}

static void ticker_hears_the_bell_between_ticks(void **state)
{
    struct ticker ticker;
    assert_int_equal(ticker_open(&ticker, mono_add(mono_now(), 3600 * NS_PER_S), NS_PER_S), 0);
    bell_ring(*state, 1);
    uint64_t missed = 0;
    assert_int_equal(ticker_wait(&ticker, *state, -1, &missed), TICKER_BELL);
    assert_int_equal(bell_take(*state), 1);
    ticker_close(&ticker);
}

static void ticker_hears_the_clock_being_set(void **state)
{
    struct ticker ticker;
    assert_int_equal(ticker_open(&ticker, mono_add(mono_now(), 3600 * NS_PER_S), NS_PER_S), 0);
    int watch_fd = eventfd(1, EFD_CLOEXEC); // readable, as a cancelled timerfd is
    uint64_t missed = 0;
    assert_int_equal(ticker_wait(&ticker, *state, watch_fd, &missed), TICKER_CLOCK_SET);
    close(watch_fd);
    ticker_close(&ticker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bell, close_bell)
        TEST(ticker_never_fires_before_its_grid),
        TEST(ticker_counts_the_ticks_that_passed_unseen),
        TEST(ticker_hears_the_bell_between_ticks),
        TEST(ticker_hears_the_clock_being_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
