/*
 * The race that loses wake-ups when a waiter is built wrong: several threads give reasons while
 * the owner goes to sleep and wakes, a great many times.
 *
 * Each giver owns one bit and gives it again only after the owner has confirmed the last one. A
 * lost reason therefore stops the race, and the owner's wait runs into its deadline: that, and not
 * a duration, is the failure.
 */
#ifndef TESTS_WAKEUP_RACE_H
#define TESTS_WAKEUP_RACE_H

#include <stdint.h>

#define RACE_GIVERS 3

struct race_ops {
    void (*give)(void *waiter, uint32_t reasons);
    uint32_t (*wait)(void *waiter); /* 0 = it ran into a deadline far away */
};

struct race_result {
    uint64_t received;  /* reasons that arrived */
    uint32_t deadlines; /* waits that found nothing: 0 unless a wake-up was lost */
    uint32_t foreign;   /* reasons nobody gave at that moment */
    int error;          /* of starting a thread, or 0 */
};

/* Every giver gives its reason ROUNDS times. */
struct race_result wakeup_race(void *waiter, const struct race_ops *ops, uint32_t rounds);

#endif
