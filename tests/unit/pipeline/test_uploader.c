#include "pipeline/uploader.h"

#include "base/md5.h"
#include "core/csv.h"
#include "fake_delivery.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A real spool in a scratch folder, the real uploader, and a delivery that follows a table. */
struct rig {
    char dir[SCRATCH_PATH_MAX];
    struct spool *spool;
    struct fake_delivery fake;
    struct uploader *uploader;
    uint64_t failures; /* as if the sampler had counted them */
    uint64_t failures_acknowledged;
    const char *legacy_scratch; /* where the legacy form is made; NULL: the rich one is sent */
};

static void add_segment(struct rig *rig, uint64_t seq)
{
    struct record record = {.boot_id = 0x1a2b3c4d, .seq = seq};
    char row[CSV_ROW_MAX];
    size_t size = csv_format_row(row, &record);
    assert_int_equal(spool_append(rig->spool, row, size, seq, seq), 0);
    assert_int_equal(spool_commit(rig->spool), 0);
    assert_int_equal(spool_seal(rig->spool), 0);
}

static void seal_at_once(void *ctx)
{
    struct rig *rig = ctx;
    uploader_sealed(rig->uploader);
}

static size_t render(void *ctx, enum delivery_object object, char *out, size_t cap, uint64_t *token)
{
    struct rig *rig = ctx;
    if (object == OBJECT_NTP_FAILED_STATUS && rig->failures <= rig->failures_acknowledged) {
        return 0;
    }
    *token = rig->failures;
    return (size_t)snprintf(out, cap, "status of %s\n", delivery_object_name(object));
}

static void acknowledged(void *ctx, enum delivery_object object, uint64_t token)
{
    struct rig *rig = ctx;
    if (object == OBJECT_NTP_FAILED_STATUS) {
        rig->failures_acknowledged = token;
    }
}

static int open_rig(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    if (rig == NULL || scratch_make(rig->dir, sizeof rig->dir) != 0) {
        return -1;
    }
    fake_delivery_init(&rig->fake);
    struct spool_config config = {.dir = rig->dir,
                                  .quota_bytes = 1 << 20,
                                  .segment_max_bytes = 1 << 18,
                                  .boot_id = 0x1a2b3c4d};
    struct spool_recovery found;
    *state = rig;
    return spool_open(&rig->spool, &config, &found);
}

static void start(struct rig *rig, uint32_t first_upload_s)
{
    struct uploader_config config = {
        .spool = rig->spool,
        .delivery = &rig->fake.delivery,
        .texts = {.ctx = rig, .render = render, .acknowledged = acknowledged},
        .request_seal = seal_at_once,
        .request_seal_ctx = rig,
        .first_upload_s = first_upload_s,
        .interval_s = 1,
        .legacy = rig->legacy_scratch != NULL,
        .scratch_dir = rig->legacy_scratch,
    };
    // The uploader may ask for a seal only after first_upload_s, when rig->uploader is set.
    assert_int_equal(uploader_start(&rig->uploader, &config), 0);
}

static void stop(struct rig *rig)
{
    uploader_request_stop(rig->uploader);
    assert_int_equal(uploader_join(rig->uploader, mono_add(mono_now(), 60 * NS_PER_S)), 0);
    uploader_free(rig->uploader);
    rig->uploader = NULL;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;
    spool_close(rig->spool);
    fake_delivery_free(&rig->fake);
    scratch_remove(rig->dir);
    free(rig);
    return 0;
}

static void uploader_sends_segments_oldest_first_then_the_status(void **state)
{
    struct rig *rig = *state;
    add_segment(rig, 1);
    add_segment(rig, 2);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 3));
    stop(rig);
    assert_int_equal(rig->fake.puts[0].object, OBJECT_TIME_LOG);
    assert_int_equal(rig->fake.puts[1].object, OBJECT_TIME_LOG);
    assert_int_equal(rig->fake.puts[2].object, OBJECT_NTP_STATUS);
    assert_true(strcmp(rig->fake.puts[0].name, rig->fake.puts[1].name) < 0);
    struct spool_segment left;
    assert_false(spool_next_sealed(rig->spool, 0, &left));
}

static void uploader_hands_on_the_md5_that_the_spool_counted(void **state)
{
    struct rig *rig = *state;
    add_segment(rig, 1);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 2));
    stop(rig);
    const struct fake_put *put = &rig->fake.puts[0];
    struct md5_state all;
    uint8_t md5[MD5_BYTES];
    md5_begin(&all);
    md5_add(&all, put->data, put->size);
    assert_int_equal(md5_end(&all, md5), 0);
    assert_true(put->md5_given);
    assert_memory_equal(put->md5, md5, MD5_BYTES);
    assert_false(rig->fake.puts[1].md5_given); // the status
}

static void uploader_gives_no_md5_with_the_legacy_form(void **state)
{
    struct rig *rig = *state;
    rig->legacy_scratch = rig->dir;
    add_segment(rig, 1);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 2));
    stop(rig);
    assert_int_equal(rig->fake.puts[0].object, OBJECT_TIME_LOG);
    assert_null(strstr(rig->fake.puts[0].data, "elapsed_time"));
    assert_false(rig->fake.puts[0].md5_given);
}

static void refuse_everything(const struct fake_delivery *fake,
                              const struct delivery_request *request,
                              struct delivery_result *result)
{
    (void)fake;
    (void)request;
    result->verdict = DELIVERY_RETRY;
    result->http_status = 403;
    result->retry_in_ms = 20;
    snprintf(result->reason, sizeof result->reason, "HTTP 403 AccessDenied");
}

static void uploader_deletes_nothing_that_was_not_acknowledged(void **state)
{
    struct rig *rig = *state;
    rig->fake.answer = refuse_everything;
    add_segment(rig, 1);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 10));
    stop(rig);
    struct spool_segment left;
    assert_true(spool_next_sealed(rig->spool, 0, &left));
    assert_int_equal(fake_delivery_count(&rig->fake, OBJECT_TIME_LOG, DELIVERY_ACKNOWLEDGED), 0);
}

static void refuse_the_first_five(const struct fake_delivery *fake,
                                  const struct delivery_request *request,
                                  struct delivery_result *result)
{
    if (fake->count < 5) {
        refuse_everything(fake, request, result);
    }
}

static void uploader_sends_the_same_bytes_again_after_a_refusal(void **state)
{
    struct rig *rig = *state;
    rig->fake.answer = refuse_the_first_five;
    add_segment(rig, 1);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 7));
    stop(rig);
    const char *first = NULL;
    for (size_t i = 0; i < rig->fake.count; i++) {
        if (rig->fake.puts[i].object != OBJECT_TIME_LOG) {
            continue;
        }
        first = first == NULL ? rig->fake.puts[i].data : first;
        assert_string_equal(rig->fake.puts[i].data, first);
    }
    assert_int_equal(fake_delivery_count(&rig->fake, OBJECT_TIME_LOG, DELIVERY_ACKNOWLEDGED), 1);
}

static void refuse_segment_one(const struct fake_delivery *fake,
                               const struct delivery_request *request,
                               struct delivery_result *result)
{
    (void)fake;
    if (request->object == OBJECT_TIME_LOG && strstr(request->name, "1.csv") != NULL) {
        result->verdict = DELIVERY_LATER;
        result->http_status = 400;
        result->retry_in_ms = 3600 * 1000;
        snprintf(result->reason, sizeof result->reason, "HTTP 400 BadDigest");
    }
}

static void uploader_lets_others_go_before_one_bad_segment(void **state)
{
    struct rig *rig = *state;
    rig->fake.answer = refuse_segment_one;
    add_segment(rig, 1);
    add_segment(rig, 2);
    add_segment(rig, 3);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 4));
    stop(rig);
    assert_int_equal(fake_delivery_count(&rig->fake, OBJECT_TIME_LOG, DELIVERY_ACKNOWLEDGED), 2);
    struct spool_segment left;
    assert_true(spool_next_sealed(rig->spool, 0, &left));
    assert_int_equal(left.number, 1);
}

static void uploader_sends_new_segments_while_a_bad_one_waits_its_time(void **state)
{
    struct rig *rig = *state;
    rig->fake.answer = refuse_segment_one;
    add_segment(rig, 1);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 2)); // it is refused for an hour, the status goes
    add_segment(rig, 2);
    assert_true(fake_delivery_wait(&rig->fake, 6));
    stop(rig);
    assert_int_equal(fake_delivery_count(&rig->fake, OBJECT_TIME_LOG, DELIVERY_ACKNOWLEDGED), 1);
    assert_int_equal(fake_delivery_count(&rig->fake, OBJECT_TIME_LOG, DELIVERY_LATER), 1);
}

static void refuse_an_unreadable_segment_one(const struct fake_delivery *fake,
                                             const struct delivery_request *request,
                                             struct delivery_result *result)
{
    refuse_segment_one(fake, request, result);
    result->http_status = 0; // nobody was asked: our own file is the trouble
}

static void uploader_passes_a_segment_that_can_not_be_read(void **state)
{
    struct rig *rig = *state;
    rig->fake.answer = refuse_an_unreadable_segment_one;
    add_segment(rig, 1);
    add_segment(rig, 2);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 3));
    stop(rig);
    assert_int_equal(fake_delivery_count(&rig->fake, OBJECT_TIME_LOG, DELIVERY_ACKNOWLEDGED), 1);
}

static void find_nobody(const struct fake_delivery *fake, const struct delivery_request *request,
                        struct delivery_result *result)
{
    refuse_everything(fake, request, result);
    result->offline = true;
    result->http_status = 0;
    result->retry_in_ms = 3600 * 1000;
}

static void uploader_knocks_once_when_nothing_can_be_reached(void **state)
{
    struct rig *rig = *state;
    rig->fake.answer = find_nobody;
    add_segment(rig, 1);
    add_segment(rig, 2);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 1));
    // Three more rounds come due while the backoff of an hour holds.
    struct uploader_stats stats = {0};
    mono_time patience = mono_add(mono_now(), 60 * NS_PER_S);
    while (stats.rounds < 4 && mono_diff_ns(patience, mono_now()) > 0) {
        usleep(50000);
        uploader_get_stats(rig->uploader, &stats);
    }
    stop(rig);
    assert_true(stats.rounds >= 4);
    assert_int_equal(rig->fake.count, 1);
}

static void uploader_sends_the_failed_status_once_per_failure(void **state)
{
    struct rig *rig = *state;
    rig->failures = 3;
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 4)); // status, failed, status, status
    stop(rig);
    assert_int_equal(
        fake_delivery_count(&rig->fake, OBJECT_NTP_FAILED_STATUS, DELIVERY_ACKNOWLEDGED), 1);
    assert_int_equal(rig->failures_acknowledged, 3);
}

static void uploader_tries_at_once_when_reconfigured(void **state)
{
    struct rig *rig = *state;
    rig->fake.answer = find_nobody; // a backoff of an hour
    add_segment(rig, 1);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 1));
    uploader_reconfigure(rig->uploader, 1, 0);
    assert_true(fake_delivery_wait(&rig->fake, 2));
    stop(rig);
}

static void uploader_sends_the_status_although_the_legacy_form_can_not_be_made(void **state)
{
    struct rig *rig = *state;
    rig->legacy_scratch = "/nonexistent";
    add_segment(rig, 1);
    start(rig, 1);
    assert_true(fake_delivery_wait(&rig->fake, 1));
    stop(rig);
    assert_int_equal(rig->fake.puts[0].object, OBJECT_NTP_STATUS);
    struct spool_segment left;
    assert_true(spool_next_sealed(rig->spool, 0, &left));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
        TEST(uploader_sends_segments_oldest_first_then_the_status),
        TEST(uploader_hands_on_the_md5_that_the_spool_counted),
        TEST(uploader_gives_no_md5_with_the_legacy_form),
        TEST(uploader_deletes_nothing_that_was_not_acknowledged),
        TEST(uploader_sends_the_same_bytes_again_after_a_refusal),
        TEST(uploader_lets_others_go_before_one_bad_segment),
        TEST(uploader_sends_new_segments_while_a_bad_one_waits_its_time),
        TEST(uploader_passes_a_segment_that_can_not_be_read),
        TEST(uploader_knocks_once_when_nothing_can_be_reached),
        TEST(uploader_sends_the_failed_status_once_per_failure),
        TEST(uploader_tries_at_once_when_reconfigured),
        TEST(uploader_sends_the_status_although_the_legacy_form_can_not_be_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
