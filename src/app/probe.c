#include "app/probe.h"

#include "app/probe_json.h"
#include "core/verdict.h"
#include "timesource/panel.h"
#include "timesource/report_text.h"
#include "timesource/tracking_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_NS  (2 * NS_PER_S)
#define READ_NS  (100 * NS_PER_MS)
#define PAUSE_NS (20 * NS_PER_MS)

enum { PROBE_SYNCED = 0, PROBE_NOT_SYNCED = 1, PROBE_NOTHING = 2 };

// True when waiting longer would tell no more: the daemon has spoken, and so has each server.
static bool is_complete(const struct reading *reading, const struct source_report *report)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < report->probe_count && i < REPORT_PROBES_MAX; i++) {
        const struct report_probe *p = &report->probes[i];
        waiting += p->answered == 0 && p->refused == 0 && p->rejected == 0;
    }
    return reading->daemon_answered && waiting == 0;
}

// Asks until everybody has answered or the wait is over; the last reading stands.
static int ask(struct timesource *source, struct reading *reading, struct source_report *report)
{
    struct timespec pause = nstime_to_timespec(PAUSE_NS);
    mono_time end = mono_add(mono_now(), WAIT_NS);
    for (;;) {
        int error = timesource_read(source, mono_add(mono_now(), READ_NS), reading);
        memset(report, 0, sizeof *report);
        timesource_report(source, report);
        if (error != 0 || is_complete(reading, report) || mono_diff_ns(end, mono_now()) <= 0) {
            return error;
        }
        nanosleep(&pause, NULL);
    }
}

static void print_offset(const struct reading *r)
{
    double diff_s = (double)r->clock_diff_ns / 1e9;
    if ((r->valid & VALID_CLOCK_DIFF) == 0) {
        printf("offset:      not known\n");
    } else {
        printf("offset:      the clock is %.9f s %s\n", fabs(diff_s), diff_s < 0 ? "slow" : "fast");
    }
    if ((r->valid & VALID_ERROR_BOUND) != 0) {
        printf("error bound: %.9f s\n", (double)r->error_bound_ns / 1e9);
    }
}

static void print_reference(const struct reading *r, const struct source_report *report)
{
    if ((report->valid & REPORT_TRACKING) != 0 && (r->valid & VALID_STRATUM) != 0) {
        char name[TRACKING_NAME_MAX];
        tracking_source_name(name, &report->tracking.address, report->tracking.ref_id);
        printf("reference:   %s, stratum %u\n", name[0] != '\0' ? name : "its own clock",
               r->stratum);
    }
    if ((r->valid & VALID_REF_AGE) != 0) {
        printf("last update: %.1f s ago", (double)r->ref_age_ns / 1e9);
        printf(r->source == SOURCE_KERNEL ? " at most\n" : "\n");
    }
    if ((r->valid & VALID_FREQ) != 0) {
        printf("frequency:   %+.3f ppm uncorrected\n", (double)r->freq_ppt / 1e6);
    }
}

// What the state alone does not tell.
static void print_reasons(const struct reading *r)
{
    if (!r->daemon_answered) {
        printf("daemon:      %s\n",
               r->daemon_expected ? "expected, does not answer" : "none on this machine");
    }
    if (r->local_only) {
        printf("daemon:      follows nothing but its own clock\n");
    }
    if (r->contradicted) {
        printf("servers:     a second server disagrees with the daemon beyond both bounds\n");
    }
    if ((r->valid & VALID_REACH) != 0 && !r->reachable) {
        printf("servers:     none has answered the daemon lately\n");
    }
}

static void print_words(const struct reading *reading, enum sync_state state,
                        const struct source_report *report)
{
    static char text[REPORT_TEXT_MAX];
    printf("state:       %s (%s says %s)\n", sync_state_name(state),
           source_id_name(reading->source), clock_status_name(reading->status));
    print_offset(reading);
    print_reference(reading, report);
    print_reasons(reading);
    report_text(text, sizeof text, report);
    fputs(text, stdout);
}

static int print_json(const struct reading *reading, enum sync_state state,
                      const struct source_report *report)
{
    char *text = probe_json(reading, state, report);
    if (text == NULL) {
        fprintf(stderr, "ntp_logger: --probe --json: out of memory\n");
        return -1;
    }
    puts(text);
    free(text);
    return 0;
}

static int exit_code(enum sync_state state)
{
    if (state == SYNC_SYNCED) {
        return PROBE_SYNCED;
    }
    return state == SYNC_UNREACHABLE ? PROBE_NOTHING : PROBE_NOT_SYNCED;
}

int probe_run(const struct config *config, bool as_json)
{
    static struct source_report report;
    struct reading reading = {0};
    struct panel_config settings = {.chrony_address = config->chrony_address,
                                    .chronyc_path = config->chronyc_path,
                                    .ntp_servers = config->ntp_servers};
    struct timesource *panel = NULL;
    const char *wrong = "the time sources";
    int error = panel_open(&panel, &settings, &wrong);
    if (error == 0) {
        error = ask(panel, &reading, &report);
        timesource_close(panel);
    }
    if (error != 0) {
        fprintf(stderr, "ntp_logger: cannot ask %s: %s\n", wrong, strerror(-error));
        return PROBE_NOTHING;
    }
    enum sync_state state = verdict_judge(&reading);
    if (!as_json) {
        print_words(&reading, state, &report);
    } else if (print_json(&reading, state, &report) != 0) {
        return PROBE_NOTHING;
    }
    return exit_code(state);
}
