#include "wakeup_race.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct giver {
    pthread_t thread;
    void *waiter;
    const struct race_ops *ops;
    uint32_t bit;
    uint32_t rounds;
    atomic_uint confirmed; /* rounds the owner has seen */
    atomic_bool *stop;
};

static void *give_many(void *argument)
{
    struct giver *giver = argument;
    for (uint32_t round = 0; round < giver->rounds; round++) {
        giver->ops->give(giver->waiter, giver->bit);
        while (atomic_load(&giver->confirmed) == round) {
            if (atomic_load(giver->stop)) {
                return NULL;
            }
            sched_yield();
        }
    }
    return NULL;
}

static uint64_t total_confirmed(struct giver *givers)
{
    uint64_t total = 0;
    for (int i = 0; i < RACE_GIVERS; i++) {
        total += atomic_load(&givers[i].confirmed);
    }
    return total;
}

static void receive_all(struct giver *givers, struct race_result *result)
{
    uint64_t expected = (uint64_t)givers[0].rounds * RACE_GIVERS;
    while (total_confirmed(givers) < expected && result->deadlines == 0) {
        uint32_t reasons = givers[0].ops->wait(givers[0].waiter);
        result->deadlines += reasons == 0;
        for (int i = 0; i < RACE_GIVERS; i++) {
            if (reasons & givers[i].bit) {
                atomic_fetch_add(&givers[i].confirmed, 1);
                result->received++;
                reasons &= ~givers[i].bit;
            }
        }
        result->foreign += reasons != 0;
    }
}

struct race_result wakeup_race(void *waiter, const struct race_ops *ops, uint32_t rounds)
{
    struct race_result result = {0};
    struct giver givers[RACE_GIVERS];
    atomic_bool stop = false;
    int started = 0;
    for (int i = 0; i < RACE_GIVERS; i++) {
        givers[i] = (struct giver){
            .waiter = waiter, .ops = ops, .bit = 1u << i, .rounds = rounds, .stop = &stop};
        atomic_init(&givers[i].confirmed, 0);
    }
    while (started < RACE_GIVERS && result.error == 0) {
        struct giver *giver = &givers[started];
        result.error = pthread_create(&giver->thread, NULL, give_many, giver);
        started += result.error == 0;
    }
    if (result.error == 0) {
        receive_all(givers, &result);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < started; i++) {
        pthread_join(givers[i].thread, NULL);
    }
    return result;
}
