/*
 * DESIGN
 *
 * The main thread owns the configuration and the signals; all others block every signal. It builds
 * every part first and then starts the threads along the data's way (sampler, writer, uploader):
 * the uploader reads the others' figures, so they are there when it runs, and it is the one that
 * asks the writer, so the writer never calls somebody who does not exist yet. Threads are stopped
 * along the same way, so that every row made is durable before the spool closes. A transfer under
 * way is told to end at the same moment as the sampler; if it hangs nevertheless (a resolver may),
 * the process ends without it: the rows are on disk by then.
 */
#include "app/app.h"

#include "app/status.h"
#include "app/time_floor.h"
#include "app/watch.h"
#include "base/log.h"
#include "build_config.h"
#include "pipeline/ring_storage.h"
#include "pipeline/writer.h"
#include "platform/platform.h"
#include "timesource/panel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB                (UINT64_C(1024) * 1024)
#define UPLOADER_STOP_NS   (2500 * NS_PER_MS) // with the rest inside the promised 3 s
#define RING_CAPACITY      1024u              // a quarter of an hour at the default interval
#define RING_HOLD_MS       8000u              // never less than this
#define ANSWER_STANDS_MS   200u               // asked faster, a loaded machine falls behind
#define SEGMENTS_PER_QUOTA 4                  // evicting one loses at most this part of the quota

struct app {
    struct config config;
    uint32_t boot_id;
    uint64_t first_seq;
    uint64_t durable_below;
    uint32_t lost_before;
    struct sender *sender;
    struct spool *spool;
    struct ring_storage ring;
    bool rows_wait; // in the ring, of a former process
    struct ring_producer producer;
    struct ring_consumer consumer;
    struct timesource *source;
    struct bell writer_bell;
    struct writer *writer;
    struct sampler *sampler;
    struct status status;
    struct time_floor time_floor; /* the uploader thread's, once it runs */
    struct watch watch;
};

static int cannot(const char *what, int error)
{
    log_error("%s: %s", what, strerror(-error));
    return error;
}

// ---- wiring ------------------------------------------------------------------------------------

static void request_seal(void *ctx)
{
    struct app *app = ctx;
    bell_ring(&app->writer_bell, WRITER_SEAL);
}

static void on_sealed(void *ctx)
{
    struct app *app = ctx;
    uploader_sealed(app->status.uploader);
}

static struct sender_config sender_config_of(const struct config *config)
{
    return (struct sender_config){
        .urls =
            {
                [OBJECT_TIME_LOG] = config->presigned_url_time_log,
                [OBJECT_NTP_STATUS] = config->presigned_url_ntp_status,
                [OBJECT_NTP_FAILED_STATUS] = config->presigned_url_ntp_failed_status,
            },
        .url_source = config->url_source,
        .s3_endpoint = config->s3_endpoint,
        .s3_region = config->s3_region,
        .s3_bucket = config->s3_bucket,
        .s3_prefix = config->s3_prefix,
        .s3_key_id = config->s3_access_key_id,
        .s3_secret = config->s3_secret_access_key,
        .allow_http = config->allow_http,
        .compress = config->compress == COMPRESS_GZIP,
        .ca_bundle = config->ca_bundle,
        .proxy = config->proxy,
        .user_agent = "ntp_logger/" NTP_LOGGER_VERSION,
    };
}

// A synchronised clock is the time to note how late it is. The uploader's thread, once per round.
static void note_good_time(struct app *app)
{
    struct sampler_snapshot snapshot;
    if (app->status.sampler == NULL || !sampler_get_latest(app->status.sampler, &snapshot) ||
        snapshot.record.sync_state != SYNC_SYNCED) {
        return;
    }
    static int last_error;
    int error = time_floor_raise(&app->time_floor, snapshot.record.wall_ns / NS_PER_S);
    if (log_changed(&last_error, error) && error != 0) {
        log_warning("%s can't be written: %s; after a restart with a wrong clock, TLS servers may "
                    "be refused",
                    app->time_floor.path, strerror(-error));
    }
    sender_raise_time_floor(app->sender, app->time_floor.floor_s);
}

static size_t render(void *ctx, enum delivery_object object, char *out, size_t cap, uint64_t *token)
{
    struct app *app = ctx;
    note_good_time(app);
    return status_render(&app->status, object, out, cap, token);
}

static void acknowledged(void *ctx, enum delivery_object object, uint64_t token)
{
    struct app *app = ctx;
    status_acknowledged(&app->status, object, token);
}

static int open_spool(struct app *app)
{
    const struct config *config = &app->config;
    uint64_t quota = config->spool_quota_mib * MIB;
    struct spool_config spool = {
        .dir = config->spool_dir,
        .quota_bytes = quota,
        .keep_free_bytes = config->spool_keep_free_mib * MIB,
        .segment_max_bytes = quota / SEGMENTS_PER_QUOTA,
        .boot_id = app->boot_id,
    };
    struct spool_recovery found;
    int error = spool_open(&app->spool, &spool, &found);
    if (error == -EBUSY) {
        log_error("spool_dir '%s': another ntp_logger is using it", config->spool_dir);
        return error;
    }
    if (error != 0) {
        log_error("spool_dir '%s': %s; set spool_dir to a directory that can be written",
                  config->spool_dir, strerror(-error));
        return error;
    }
    app->first_seq = found.next_seq;
    app->durable_below = found.durable_below;
    log_info("spool %s: %" PRIu32 " segments wait, %" PRIu64 " rows recovered, %" PRIu64
             " torn bytes cut, %" PRIu32 " bad files; next seq %" PRIu64,
             config->spool_dir, found.sealed_segments, found.recovered_rows, found.torn_bytes,
             found.bad_files, found.next_seq);
    return 0;
}

static uint32_t ring_capacity(uint32_t sample_interval_ms)
{
    uint32_t capacity = RING_CAPACITY;
    while (capacity < RING_HOLD_MS / sample_interval_ms) {
        capacity *= 2;
    }
    return capacity;
}

// What a killed process left in the ring stays there for the writer; numbering goes on behind it.
static int open_ring(struct app *app)
{
    const struct ring_storage_config ring = {
        .dir = app->config.ring_dir,
        .spool_dir = app->config.spool_dir,
        .capacity = ring_capacity(app->config.sample_interval_ms),
        .boot_id = app->boot_id,
    };
    int error = ring_storage_open(&app->ring, &ring);
    if (error != 0) {
        return error;
    }
    struct ring_recovery found;
    ring_storage_recover(&app->ring, app->boot_id, app->durable_below, &found);
    app->rows_wait = found.waiting > 0;
    app->first_seq = found.next_seq > app->first_seq ? found.next_seq : app->first_seq;
    // Numbers of records that are lost are not given to others, and the first row declares them.
    app->lost_before = found.refused + found.unusable + (app->ring.left_behind ? ring.capacity : 0);
    app->first_seq += app->lost_before;
    log_info("ring: %s; %" PRIu32 " rows found, %" PRIu32 " of them on disk already",
             app->ring.description, found.waiting + found.durable, found.durable);
    if (app->lost_before > 0) {
        log_warning("ring: %" PRIu32 " rows of the last run are lost", app->lost_before);
    }
    ring_producer_init(&app->producer, app->ring.memory);
    ring_consumer_init(&app->consumer, app->ring.memory);
    return 0;
}

static int start_uploader(struct app *app)
{
    struct uploader_config uploader = {
        .spool = app->spool,
        .delivery = sender_delivery(app->sender),
        .texts = {.ctx = app, .render = render, .acknowledged = acknowledged},
        .request_seal = request_seal,
        .request_seal_ctx = app,
        .first_upload_s = app->config.first_upload_s,
        .interval_s = app->config.upload_interval_s,
        .jitter = app->config.upload_jitter,
        .legacy = app->config.csv_format == CSV_FORMAT_LEGACY,
        .scratch_dir = app->config.spool_dir,
    };
    return uploader_start(&app->status.uploader, &uploader);
}

static int start_writer(struct app *app)
{
    struct writer_config writer = {
        .spool = app->spool,
        .ring = &app->consumer,
        .bell = &app->writer_bell,
        .commit_interval_s = app->config.commit_interval_s,
        .on_sealed = on_sealed,
        .on_sealed_ctx = app,
    };
    return writer_start(&app->writer, &writer);
}

static int start_sampler(struct app *app)
{
    struct sampler_config sampler = {
        .source = app->source,
        .ring = &app->producer,
        .writer_bell = &app->writer_bell,
        .urgent_reason = WRITER_URGENT,
        .filling_reason = WRITER_FILLING,
        .boot_id = app->boot_id,
        .first_seq = app->first_seq,
        .lost_before = app->lost_before,
        .interval_ms = app->config.sample_interval_ms,
        .answer_stands_ms = ANSWER_STANDS_MS,
    };
    return sampler_start(&app->sampler, &sampler);
}

// ---- start -------------------------------------------------------------------------------------

static int build(struct app *app)
{
    const struct config *config = &app->config;
    int error = platform_boot_id(&app->boot_id);
    if (error != 0) {
        return cannot("boot id", error);
    }
    error = open_spool(app);
    if (error != 0) {
        return error;
    }
    error = open_ring(app);
    if (error != 0) {
        return cannot("ring", error);
    }
    struct panel_config panel = {.chrony_address = config->chrony_address,
                                 .chronyc_path = config->chronyc_path,
                                 .ntp_servers = config->ntp_servers};
    const char *wrong = "time sources";
    error = panel_open(&app->source, &panel, &wrong);
    if (error != 0) {
        return cannot(wrong, error);
    }
    time_floor_open(&app->time_floor, config->spool_dir, NTP_LOGGER_BUILD_TIME_S);
    struct sender_config sender = sender_config_of(config);
    sender.time_floor_s = app->time_floor.floor_s;
    error = sender_open(&app->sender, &sender);
    if (error != 0) {
        return cannot("upload", error);
    }
    error = bell_init(&app->writer_bell);
    return error == 0 ? 0 : cannot("writer", error);
}

static int start(struct app *app)
{
    app->status = (struct status){.spool = app->spool,
                                  .sender = app->sender,
                                  .ring_place = app->ring.description,
                                  .started = mono_now(),
                                  .boot_id = app->boot_id};
    if (app->rows_wait) {
        bell_ring(&app->writer_bell, WRITER_URGENT); // room for the new ones
    }
    int error = start_sampler(app);
    if (error != 0) {
        return cannot("sampler thread", error);
    }
    app->status.sampler = app->sampler;
    error = start_writer(app);
    if (error != 0) {
        return cannot("writer thread", error);
    }
    error = start_uploader(app);
    return error == 0 ? 0 : cannot("uploader thread", error);
}

// ---- stop --------------------------------------------------------------------------------------

// Ends the threads that run, from the source on. 0, or what kept the last rows from the disk.
static int stop_threads(struct app *app, bool *hanging)
{
    int error = 0;
    if (app->status.uploader != NULL) {
        uploader_request_stop(app->status.uploader);
    }
    mono_time deadline = mono_add(mono_now(), UPLOADER_STOP_NS);
    if (app->sampler != NULL) {
        sampler_request_stop(app->sampler);
        sampler_join(app->sampler);
    }
    if (app->writer != NULL) {
        error = writer_stop(app->writer);
    }
    *hanging = app->status.uploader != NULL && uploader_join(app->status.uploader, deadline) != 0;
    return error;
}

static void release(struct app *app)
{
    if (app->status.uploader != NULL) {
        uploader_free(app->status.uploader);
    }
    if (app->sampler != NULL) {
        sampler_free(app->sampler);
    }
    if (app->writer != NULL) {
        writer_free(app->writer);
    }
    sender_close(app->sender);
    timesource_close(app->source);
    ring_storage_close(&app->ring);
    if (app->spool != NULL) {
        spool_close(app->spool);
    }
    explicit_bzero(&app->config, sizeof app->config);
}

// ---- the run -----------------------------------------------------------------------------------

static void reload(struct app *app, const struct config_inputs *inputs)
{
    static struct config fresh;
    struct config_error error;
    if (config_load(&fresh, inputs, &error) != 0) {
        log_error("settings not taken over, the running ones stay: %s", error.text);
        return;
    }
    if (config_same(&fresh, &app->config)) {
        log_info("settings read again: no change");
        return;
    }
    log_set_level((enum log_level)fresh.log_level);
    struct sender_config sender = sender_config_of(&fresh);
    sender_configure(app->sender, &sender);
    uploader_reconfigure(app->status.uploader, fresh.upload_interval_s, fresh.upload_jitter);
    app->config = fresh;
    explicit_bzero(&fresh, sizeof fresh);
    log_info("settings read again: addresses, upload interval and log level are in force; others "
             "at the next start");
}

static void wait_for_the_end(struct app *app, const struct config_inputs *inputs,
                             uint32_t duration_s)
{
    mono_time end = mono_add(mono_now(), (int64_t)duration_s * NS_PER_S);
    for (;;) {
        switch (watch_wait(&app->watch, duration_s == 0 ? NULL : &end)) {
        case WATCH_DEADLINE:
            log_info("stopping: the duration is over");
            return;
        case WATCH_STOP:
            log_info("stopping: told to");
            return;
        case WATCH_RELOAD:
            reload(app, inputs);
            break;
        }
    }
}

static int finish(struct app *app, int error)
{
    bool hanging = false;
    int disk_error = stop_threads(app, &hanging);
    if (disk_error != 0) {
        log_error("the last rows are not on disk: %s", strerror(-disk_error));
    }
    int code = error != 0 || disk_error != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (hanging) {
        log_warning("stopped; an upload would not end and is left behind, its segment is kept");
        _exit(code);
    }
    release(app);
    log_info("stopped");
    return code;
}

int app_run(const struct config *config, const struct config_inputs *inputs, uint32_t duration_s)
{
    struct app *app = calloc(1, sizeof *app);
    if (app == NULL) {
        cannot("start", -ENOMEM);
        return EXIT_FAILURE;
    }
    app->config = *config;
    const char *const files[] = {config_package_file(), config_local_file()};
    int error = watch_open(&app->watch, files);
    if (error != 0) {
        cannot("signals", error);
        free(app);
        return EXIT_FAILURE;
    }
    log_info("ntp_logger %s starts", NTP_LOGGER_VERSION);
    error = build(app);
    if (error == 0) {
        error = start(app);
    }
    if (error == 0) {
        wait_for_the_end(app, inputs, duration_s);
    }
    int code = finish(app, error);
    watch_close(&app->watch);
    free(app);
    return code;
}
