#include "app/probe_json.h"

#include "base/json.h"
#include "timesource/tracking_text.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_IN_S     1e9
#define PPT_IN_PPM  1e6
#define NO_SAMPLE_S UINT32_MAX

static void put_if(struct json_builder *json, const char *key, bool known, double value)
{
    if (known) {
        json_put_number(json, key, value);
    } else {
        json_put_null(json, key);
    }
}

static void put_reading(struct json_builder *json, const struct reading *r)
{
    const struct {
        const char *key;
        uint32_t bit;
        double value;
    } numbers[] = {
        {"clock_diff_s", VALID_CLOCK_DIFF, (double)r->clock_diff_ns / NS_IN_S},
        {"error_bound_s", VALID_ERROR_BOUND, (double)r->error_bound_ns / NS_IN_S},
        {"stratum", VALID_STRATUM, r->stratum},
        {"ref_age_s", VALID_REF_AGE, (double)r->ref_age_ns / NS_IN_S},
        {"update_interval_s", VALID_UPDATE_INTERVAL, (double)r->update_interval_ns / NS_IN_S},
        {"last_offset_s", VALID_LAST_OFFSET, (double)r->last_offset_ns / NS_IN_S},
        {"freq_ppm", VALID_FREQ, (double)r->freq_ppt / PPT_IN_PPM},
        {"root_delay_s", VALID_ROOT_DELAY, (double)r->root_delay_ns / NS_IN_S},
        {"root_dispersion_s", VALID_ROOT_DISPERSION, (double)r->root_dispersion_ns / NS_IN_S},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        put_if(json, numbers[i].key, (r->valid & numbers[i].bit) != 0, numbers[i].value);
    }
    if ((r->valid & VALID_REACH) != 0) {
        json_put_bool(json, "reachable", r->reachable);
    } else {
        json_put_null(json, "reachable");
    }
    json_put_bool(json, "daemon_answered", r->daemon_answered);
    json_put_bool(json, "daemon_expected", r->daemon_expected);
    json_put_bool(json, "local_only", r->local_only);
    json_put_bool(json, "contradicted", r->contradicted);
}

static void put_tracking(struct json_builder *json, const struct report_tracking *t)
{
    char id[16];
    char name[TRACKING_NAME_MAX];
    snprintf(id, sizeof id, "%08" PRIX32, t->ref_id);
    tracking_source_name(name, &t->address, t->ref_id);
    json_open_object(json, "tracking");
    json_put_string(json, "reference_id", id);
    json_put_string(json, "name", name);
    json_put_number(json, "stratum", t->stratum);
    json_put_string(json, "leap", tracking_leap_name(t->leap));
    json_put_number(json, "reference_time_s", (double)t->ref_time_s);
    json_put_number(json, "rms_offset_s", t->rms_offset_s);
    json_put_number(json, "residual_freq_ppm", t->resid_freq_ppm);
    json_put_number(json, "skew_ppm", t->skew_ppm);
    json_put_number(json, "update_interval_s", t->update_interval_s);
    json_close(json);
}

static void put_source(struct json_builder *json, const struct report_source *s)
{
    char name[TRACKING_NAME_MAX];
    tracking_listed_name(name, s);
    json_open_object(json, NULL);
    json_put_string(json, "name", name);
    json_put_string(json, "mode", tracking_mode_name(s->mode));
    json_put_string(json, "state", tracking_state_name(s->state));
    json_put_number(json, "stratum", s->stratum);
    json_put_number(json, "poll_log2_s", s->poll_log2_s);
    json_put_number(json, "reach", s->reach);
    put_if(json, "last_sample_s", s->since_sample_s != NO_SAMPLE_S, s->since_sample_s);
    json_put_number(json, "offset_s", s->original_offset_s);
    json_put_number(json, "adjusted_offset_s", s->adjusted_offset_s);
    json_put_number(json, "offset_error_s", s->offset_error_s);
    put_if(json, "samples", s->stats_valid, s->samples);
    put_if(json, "runs", s->stats_valid, s->runs);
    put_if(json, "span_s", s->stats_valid, s->span_s);
    put_if(json, "residual_freq_ppm", s->stats_valid, s->resid_freq_ppm);
    put_if(json, "skew_ppm", s->stats_valid, s->skew_ppm);
    put_if(json, "std_dev_s", s->stats_valid, s->std_dev_s);
    json_close(json);
}

static void put_sources(struct json_builder *json, const struct source_report *report)
{
    json_open_array(json, "sources");
    for (uint32_t i = 0; i < report->source_count && i < REPORT_SOURCES_MAX; i++) {
        put_source(json, &report->sources[i]);
    }
    json_close(json);
}

static void put_activity(struct json_builder *json, const struct report_activity *a)
{
    json_open_object(json, "activity");
    json_put_number(json, "online", a->online);
    json_put_number(json, "offline", a->offline);
    json_put_number(json, "burst_online", a->burst_online);
    json_put_number(json, "burst_offline", a->burst_offline);
    json_put_number(json, "unresolved", a->unresolved);
    json_close(json);
}

// As the kernel has it: its offset is what it will still add, its frequency what it adds.
static void put_kernel(struct json_builder *json, const struct report_kernel *k)
{
    json_open_object(json, "kernel");
    json_put_number(json, "state", k->state);
    json_put_number(json, "status", k->status);
    json_put_number(json, "left_to_correct_s", (double)k->offset_ns / NS_IN_S);
    json_put_number(json, "correcting_ppm", (double)k->freq_ppt / PPT_IN_PPM);
    json_put_number(json, "max_error_us", (double)k->max_error_us);
    json_put_number(json, "est_error_us", (double)k->est_error_us);
    json_put_number(json, "tick_us", (double)k->tick_us);
    put_if(json, "tai_s", k->tai_s != 0, k->tai_s);
    json_close(json);
}

static void put_probe(struct json_builder *json, const struct report_probe *p)
{
    bool answered = p->answered != 0;
    json_open_object(json, NULL);
    json_put_string(json, "server", p->server);
    json_put_number(json, "asked", p->asked);
    json_put_number(json, "answered", p->answered);
    json_put_number(json, "rejected", p->rejected);
    json_put_bool(json, "refuses", p->refused != 0);
    put_if(json, "stratum", answered, p->stratum);
    put_if(json, "clock_diff_s", answered, (double)p->offset_ns / NS_IN_S);
    put_if(json, "delay_s", answered, (double)p->delay_ns / NS_IN_S);
    put_if(json, "bound_s", answered, (double)p->bound_ns / NS_IN_S);
    put_if(json, "age_s", answered, (double)p->age_ns / NS_IN_S);
    json_close(json);
}

static void put_probes(struct json_builder *json, const struct source_report *report)
{
    json_open_array(json, "probes");
    for (uint32_t i = 0; i < report->probe_count && i < REPORT_PROBES_MAX; i++) {
        put_probe(json, &report->probes[i]);
    }
    json_close(json);
}

static void put_replies(struct json_builder *json, const struct source_report *report)
{
    json_open_object(json, "replies");
    json_put_number(json, "good", report->replies);
    json_put_number(json, "rejected", report->replies_rejected);
    json_put_number(json, "missing", report->replies_missing);
    put_if(json, "refused_with_status", report->refusal != 0, report->refusal);
    json_close(json);
}

char *probe_json(const struct reading *reading, enum sync_state state,
                 const struct source_report *report)
{
    struct json_builder *json = json_begin();
    json_put_string(json, "sync_state", sync_state_name(state));
    json_put_string(json, "status", clock_status_name(reading->status));
    json_put_string(json, "source", source_id_name(reading->source));
    put_reading(json, reading);
    if ((report->valid & REPORT_TRACKING) != 0) {
        put_tracking(json, &report->tracking);
    }
    if ((report->valid & REPORT_SOURCES) != 0) {
        put_sources(json, report);
    }
    if ((report->valid & REPORT_ACTIVITY) != 0) {
        put_activity(json, &report->activity);
    }
    if ((report->valid & REPORT_KERNEL) != 0) {
        put_kernel(json, &report->kernel);
    }
    if ((report->valid & REPORT_PROBES) != 0) {
        put_probes(json, report);
    }
    put_replies(json, report);
    return json_finish(json);
}
