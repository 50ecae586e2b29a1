/*
 * The uploader's state, shared between its loop (uploader.c) and what it does with each object
 * (uploader_send.c). Private to these two.
 */
#ifndef PIPELINE_UPLOADER_PRIVATE_H
#define PIPELINE_UPLOADER_PRIVATE_H

#include "base/wake.h"
#include "pipeline/aside.h"
#include "pipeline/uploader.h"

#define UPLOADER_NEVER_NS INT64_MAX

enum { WAKE_STOP = 1u << 0, WAKE_SEALED = 1u << 1, WAKE_CONFIG = 1u << 2, WAKE_ENDED = 1u << 3 };

struct uploader {
    struct uploader_config config;
    struct wake wake;
    struct wake ended; // poked by the thread as its last act
    pthread_t thread;
    atomic_bool stopping;

    // New intervals come in here, guarded by stats_mutex, and are taken on WAKE_CONFIG.
    pthread_mutex_t stats_mutex;
    struct uploader_stats stats;
    uint32_t wanted_interval_s;
    double wanted_jitter;

    // The uploader thread's own.
    mono_time grid;               // the interval's grid, without jitter
    mono_time next_round;         // grid plus jitter
    int64_t due_ns[OBJECT_COUNT]; // when each kind may be tried next; NEVER_NS = nothing due
    uint64_t passed;              // segments up to this number had their turn in this pass
    struct aside aside;           // segments refused for what they are
    char text[UPLOADER_TEXT_MAX];
};

/* Tries every kind of object that is due. Sets when each may be tried next. */
void uploader_send_due(struct uploader *u);

bool uploader_is_stopping(const struct uploader *u);

#endif
