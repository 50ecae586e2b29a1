/*
 * The machine at this moment: what a cache line costs between two cores, and what measuring costs.
 * A round in which the first is far from its median ran on another machine, so to speak (the
 * hypervisor moved a core), and is dropped.
 */
#include "bench.h"
#include "modes.h"

#include <stdatomic.h>
#include <stdbool.h>

#define ROUND_TRIPS 200000
#define EMPTY_CALLS 30000
#define LINE        128

struct ping_pong {
    _Alignas(LINE) atomic_uint there;
    _Alignas(LINE) atomic_uint back; /* unused with one line */
    _Alignas(LINE) struct bench_start start;
    bool one_line;
    int64_t span_ns;
};

static void *answer(void *user)
{
    struct ping_pong *game = user;
    atomic_uint *out = game->one_line ? &game->there : &game->back;
    bench_meet(&game->start);
    for (unsigned i = 0; i < ROUND_TRIPS; i++) {
        while (atomic_load_explicit(&game->there, memory_order_acquire) != 2 * i + 1) {
        }
        atomic_store_explicit(out, 2 * i + 2, memory_order_release);
    }
    return NULL;
}

static void ask(void *user)
{
    struct ping_pong *game = user;
    atomic_uint *in = game->one_line ? &game->there : &game->back;
    bench_meet(&game->start);
    int64_t begin_ns = bench_now_ns();
    for (unsigned i = 0; i < ROUND_TRIPS; i++) {
        atomic_store_explicit(&game->there, 2 * i + 1, memory_order_release);
        while (atomic_load_explicit(in, memory_order_acquire) != 2 * i + 2) {
        }
    }
    game->span_ns = bench_now_ns() - begin_ns;
}

static double ping_pong_ns(bool one_line)
{
    static struct ping_pong game;
    game = (struct ping_pong){.one_line = one_line};
    bench_two_threads(answer, ask, &game);
    return (double)game.span_ns / ROUND_TRIPS;
}

static double empty_call_ns(void)
{
    static double spans[EMPTY_CALLS];
    double ns_per_tick = bench_ns_per_tick();
    double sum = 0;
    for (int i = 0; i < EMPTY_CALLS; i++) {
        uint64_t from = bench_ticks();
        spans[i] = (double)(bench_ticks() - from) * ns_per_tick;
        sum += spans[i];
    }
    return sum / EMPTY_CALLS;
}

int mode_probe(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    bench_print("one_line_ns", ping_pong_ns(true));
    bench_print("two_lines_ns", ping_pong_ns(false));
    bench_print("empty_call_ns", empty_call_ns());
    return 0;
}
