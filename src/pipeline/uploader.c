/*
 * DESIGN
 *
 * The thread owns the delivery (and so the network) and what is due. It is woken by the interval
 * condition variable: by its deadline (the interval, or the end of a backoff), by the writer having
 * sealed a segment, by a new configuration, or by stop.
 *
 * A round begins on the interval: the writer is asked to commit and seal, then the sealed segments
 * go out oldest first, then the status, then the failed status. What was not acknowledged stays due
 * and is tried again after the delay that the delivery names, without another seal. The three kinds
 * of object have addresses of their own, so one that is refused does not hold up the others, unless
 * nothing can be reached at all; a segment that is refused for what it is is set aside and does not
 * hold up those behind it. A segment is deleted only after DELIVERY_ACKNOWLEDGED.
 *
 * Only the wake's mutex and the statistics' mutex are used here, never both at once, and neither
 * while anything is sent.
 */
#include "pipeline/uploader.h"

#include "base/worker.h"
#include "uploader_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define SEAL_WAIT_NS (10 * NS_PER_S) // a hung disk must not keep sealed segments from leaving

static void publish_times(struct uploader *u)
{
    int64_t retry_ns = UPLOADER_NEVER_NS;
    for (int i = 0; i < OBJECT_COUNT; i++) {
        retry_ns = u->due_ns[i] < retry_ns ? u->due_ns[i] : retry_ns;
    }
    pthread_mutex_lock(&u->stats_mutex);
    u->stats.next_round_mono_ns = u->next_round.ns;
    u->stats.next_retry_mono_ns = retry_ns;
    pthread_mutex_unlock(&u->stats_mutex);
}

// ---- the round and the thread ------------------------------------------------------------------

static double random_unit(void)
{
    uint32_t bits = 0;
    ssize_t ignored = getrandom(&bits, sizeof bits, GRND_NONBLOCK); // early boot: 0 will do
    (void)ignored;
    return bits / 4294967296.0;
}

static void plan_next_round(struct uploader *u)
{
    int64_t interval_ns = (int64_t)u->config.interval_s * NS_PER_S;
    mono_time now = mono_now();
    do { // after a suspend: one round, not one for each interval missed
        u->grid = mono_add(u->grid, interval_ns);
    } while (mono_diff_ns(u->grid, now) <= 0);
    double spread = (double)interval_ns * u->config.jitter * random_unit();
    u->next_round = mono_add(u->grid, (int64_t)spread);
}

// Has the rows so far committed and sealed. A disk that hangs delays this by SEAL_WAIT_NS at most.
static void have_sealed(struct uploader *u)
{
    mono_time deadline = mono_add(mono_now(), SEAL_WAIT_NS);
    u->config.request_seal(u->config.request_seal_ctx);
    uint32_t others = 0;
    for (;;) {
        uint32_t reasons = wake_wait_until(&u->wake, deadline);
        others |= reasons & ~(uint32_t)WAKE_SEALED;
        if (reasons == 0 || (reasons & (WAKE_SEALED | WAKE_STOP)) != 0) {
            break;
        }
    }
    if (others != 0) {
        wake_poke(&u->wake, others);
    }
}

static void begin_round(struct uploader *u)
{
    have_sealed(u);
    for (int object = 0; object < OBJECT_COUNT; object++) {
        // What is backing off stays so: a round is no reason to knock earlier. But a segment that
        // is set aside holds up itself alone.
        bool only_aside =
            object == OBJECT_TIME_LOG && u->due_ns[object] == aside_next_ns(&u->aside);
        if (u->due_ns[object] == UPLOADER_NEVER_NS || only_aside) {
            u->due_ns[object] = mono_now().ns;
        }
    }
    pthread_mutex_lock(&u->stats_mutex);
    u->stats.rounds++;
    pthread_mutex_unlock(&u->stats_mutex);
    plan_next_round(u);
}

static void take_config(struct uploader *u)
{
    pthread_mutex_lock(&u->stats_mutex);
    bool changed = u->config.interval_s != u->wanted_interval_s;
    u->config.interval_s = u->wanted_interval_s;
    u->config.jitter = u->wanted_jitter;
    pthread_mutex_unlock(&u->stats_mutex);
    if (changed) {
        u->grid = mono_now();
        plan_next_round(u);
    }
    u->aside = (struct aside){.count = 0};
    for (int object = 0; object < OBJECT_COUNT; object++) {
        if (u->due_ns[object] != UPLOADER_NEVER_NS) {
            u->due_ns[object] = mono_now().ns; // new credentials are worth a try at once
        }
    }
}

static mono_time next_deadline(const struct uploader *u)
{
    mono_time deadline = u->next_round;
    for (int object = 0; object < OBJECT_COUNT; object++) {
        if (u->due_ns[object] < deadline.ns) {
            deadline.ns = u->due_ns[object];
        }
    }
    return deadline;
}

static void *uploader_main(void *arg)
{
    struct uploader *u = arg;
    while (!uploader_is_stopping(u)) {
        publish_times(u);
        uint32_t reasons = wake_wait_until(&u->wake, next_deadline(u));
        if ((reasons & WAKE_STOP) != 0) {
            break;
        }
        if ((reasons & WAKE_CONFIG) != 0) {
            take_config(u);
        }
        if (mono_diff_ns(u->next_round, mono_now()) <= 0) {
            begin_round(u);
        }
        uploader_send_due(u);
    }
    wake_poke(&u->ended, WAKE_ENDED);
    return NULL;
}

// ---- lifecycle ---------------------------------------------------------------------------------

int uploader_start(struct uploader **uploader, const struct uploader_config *config)
{
    struct uploader *u = calloc(1, sizeof *u);
    if (u == NULL) {
        return -ENOMEM;
    }
    u->config = *config;
    u->wanted_interval_s = config->interval_s;
    u->wanted_jitter = config->jitter;
    u->grid = mono_add(mono_now(), (int64_t)config->first_upload_s * NS_PER_S);
    u->next_round = u->grid;
    for (int object = 0; object < OBJECT_COUNT; object++) {
        u->due_ns[object] = UPLOADER_NEVER_NS;
    }
    atomic_init(&u->stopping, false);
    int error = wake_init(&u->wake);
    if (error != 0) {
        goto fail_wake;
    }
    error = wake_init(&u->ended);
    if (error != 0) {
        goto fail_ended;
    }
    error = -pthread_mutex_init(&u->stats_mutex, NULL);
    if (error != 0) {
        goto fail_mutex;
    }
    *uploader = u; // before the thread runs: whom it calls may look for it here
    error = worker_start(&u->thread, "uploader", uploader_main, u);
    if (error != 0) {
        goto fail_thread;
    }
    return 0;

fail_thread:
    *uploader = NULL;
    pthread_mutex_destroy(&u->stats_mutex);
fail_mutex:
    wake_destroy(&u->ended);
fail_ended:
    wake_destroy(&u->wake);
fail_wake:
    free(u);
    return error;
}

void uploader_sealed(struct uploader *uploader)
{
    wake_poke(&uploader->wake, WAKE_SEALED);
}

void uploader_reconfigure(struct uploader *uploader, uint32_t interval_s, double jitter)
{
    pthread_mutex_lock(&uploader->stats_mutex);
    uploader->wanted_interval_s = interval_s;
    uploader->wanted_jitter = jitter;
    pthread_mutex_unlock(&uploader->stats_mutex);
    wake_poke(&uploader->wake, WAKE_CONFIG);
}

void uploader_request_stop(struct uploader *uploader)
{
    atomic_store_explicit(&uploader->stopping, true, memory_order_relaxed);
    wake_poke(&uploader->wake, WAKE_STOP);
}

int uploader_join(struct uploader *uploader, mono_time deadline)
{
    if (wake_wait_until(&uploader->ended, deadline) == 0) {
        return -ETIMEDOUT;
    }
    return -pthread_join(uploader->thread, NULL);
}

void uploader_free(struct uploader *uploader)
{
    pthread_mutex_destroy(&uploader->stats_mutex);
    wake_destroy(&uploader->ended);
    wake_destroy(&uploader->wake);
    free(uploader);
}

void uploader_get_stats(struct uploader *uploader, struct uploader_stats *stats)
{
    pthread_mutex_lock(&uploader->stats_mutex);
    *stats = uploader->stats;
    pthread_mutex_unlock(&uploader->stats_mutex);
}
