/*
 * Thread 3: on each interval has the segment sealed, then sends what waits, oldest first.
 *
 * Deletes only what the delivery has acknowledged. Knows nothing of HTTP: the way out is a
 * struct delivery, the texts of the status objects come from a struct uploader_texts.
 */
#ifndef PIPELINE_UPLOADER_H
#define PIPELINE_UPLOADER_H

#include "base/nstime.h"
#include "core/delivery.h"
#include "pipeline/spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLOADER_TEXT_MAX (64 * 1024)

/* Where the two status objects come from. Called in the uploader's thread. */
struct uploader_texts {
    void *ctx;
    /*
     * Writes the object's text to OUT (at most CAP bytes) and returns its length; 0 = nothing to
     * send. *token names this state of it.
     */
    size_t (*render)(void *ctx, enum delivery_object object, char *out, size_t cap,
                     uint64_t *token);
    /* The text rendered with TOKEN is stored in S3. */
    void (*acknowledged)(void *ctx, enum delivery_object object, uint64_t token);
};

struct uploader_config {
    struct spool *spool;
    struct delivery *delivery;
    struct uploader_texts texts;
    /* Asks the writer to commit and seal; uploader_sealed is to be called when that is done. */
    void (*request_seal)(void *ctx);
    void *request_seal_ctx;
    uint32_t first_upload_s;
    uint32_t interval_s;
    double jitter;           /* 0..1: each interval's upload comes up to jitter * interval later */
    bool legacy;             /* send time_log.csv as five columns without header */
    const char *scratch_dir; /* for making that form; the caller's */
};

struct uploader_stats {
    uint64_t rounds;          /* intervals that came due */
    uint64_t segments_sent;   /* acknowledged */
    uint64_t bytes_sent;      /* of acknowledged objects */
    uint64_t refusals;        /* attempts that were not acknowledged */
    int64_t last_ack_mono_ns; /* 0 = never */
    int64_t next_round_mono_ns;
    int64_t next_retry_mono_ns; /* INT64_MAX = none pending */
    char last_reason[192];      /* of the newest refusal; empty after an acknowledgement */
};

struct uploader;

/* Starts the thread. 0 or -errno. */
int uploader_start(struct uploader **uploader, const struct uploader_config *config);

/* The writer has carried out a request to seal. Any thread, returns at once. */
void uploader_sealed(struct uploader *uploader);

/* New intervals; whatever waits is tried at once (new credentials may have come). Any thread. */
void uploader_reconfigure(struct uploader *uploader, uint32_t interval_s, double jitter);

/* Makes a transfer end within about a second and the thread after it. Returns at once. */
void uploader_request_stop(struct uploader *uploader);

/*
 * Waits for the thread at most until DEADLINE (a resolver may hang). 0, or -ETIMEDOUT: then nothing
 * it uses may be freed.
 */
int uploader_join(struct uploader *uploader, mono_time deadline);
void uploader_free(struct uploader *uploader);

void uploader_get_stats(struct uploader *uploader, struct uploader_stats *stats);

#endif
