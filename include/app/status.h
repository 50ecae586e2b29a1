/*
 * The texts of ntp_status.txt and ntp_failed_status.txt, for the uploader.
 *
 * First the 13 lines of `chronyc tracking`, then what else is known, section by section. Called in
 * the uploader's thread; reads the other threads' figures through their own snapshots.
 */
#ifndef APP_STATUS_H
#define APP_STATUS_H

#include "pipeline/sampler.h"
#include "pipeline/spool.h"
#include "pipeline/uploader.h"
#include "upload/sender.h"

struct status {
    struct sampler *sampler;
    struct uploader *uploader; /* set before its thread runs; NULL = not started */
    struct spool *spool;
    struct sender *sender;
    const char *ring_place; /* where the ring's records live, in words */
    mono_time started;
    uint32_t boot_id;
    uint64_t failures_told; /* failures in the acknowledged ntp_failed_status.txt */
};

/* The two functions that struct uploader_texts wants; CTX is a struct status. */
size_t status_render(void *ctx, enum delivery_object object, char *out, size_t cap,
                     uint64_t *token);
void status_acknowledged(void *ctx, enum delivery_object object, uint64_t token);

#endif
