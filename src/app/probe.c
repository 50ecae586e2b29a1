#include "app/app.h"
#include "base/textbuf.h"
#include "core/verdict.h"
#include "timesource/panel.h"
#include "timesource/report_text.h"

#include <string.h>

#define PROBE_WAIT_NS (2 * NS_PER_S)
#define PROBE_STEP_NS (100 * NS_PER_MS)
#define TEXT_MAX      (32 * 1024)

enum { PROBE_SYNCED = 0, PROBE_NOT_SYNCED = 1, PROBE_NOTHING = 2 };

// Asks until a daemon answers or the wait is over; the last reading stands.
static int read_once(struct timesource *source, struct reading *reading)
{
    mono_time end = mono_add(mono_now(), PROBE_WAIT_NS);
    int error = 0;
    do {
        mono_time deadline = mono_add(mono_now(), PROBE_STEP_NS);
        error = timesource_read(source, deadline, reading);
        if (error == 0 && reading->daemon_answered) {
            return 0;
        }
        struct timespec rest = nstime_to_timespec(PROBE_STEP_NS);
        nanosleep(&rest, NULL);
    } while (mono_diff_ns(end, mono_now()) > 0);
    return error;
}

static void print_words(const struct reading *reading, enum sync_state state)
{
    printf("state:       %s (%s says %s)\n", sync_state_name(state),
           source_id_name(reading->source), clock_status_name(reading->status));
    if ((reading->valid & VALID_CLOCK_DIFF) != 0) {
        double diff_s = (double)reading->clock_diff_ns / 1e9;
        printf("offset:      the clock is %.9f s %s\n", diff_s < 0 ? -diff_s : diff_s,
               diff_s < 0 ? "slow" : "fast");
    } else {
        printf("offset:      not known\n");
    }
    if ((reading->valid & VALID_ERROR_BOUND) != 0) {
        printf("error bound: %.9f s\n", (double)reading->error_bound_ns / 1e9);
    }
    if ((reading->valid & VALID_REF_AGE) != 0) {
        printf("last update: %.1f s ago\n", (double)reading->ref_age_ns / 1e9);
    }
}

int app_probe(const struct config *config, int as_json)
{
    (void)as_json;
    struct panel_config panel = {.chrony_address = config->chrony_address,
                                 .chronyc_path = config->chronyc_path,
                                 .ntp_servers = config->ntp_servers};
    struct timesource *source = NULL;
    const char *wrong = "time sources";
    int error = panel_open(&source, &panel, &wrong);
    if (error != 0) {
        fprintf(stderr, "ntp_logger: %s: %s\n", wrong, strerror(-error));
        return PROBE_NOTHING;
    }
    struct reading reading = {0};
    error = read_once(source, &reading);
    static struct source_report report;
    static char text[TEXT_MAX];
    timesource_report(source, &report);
    timesource_close(source);
    enum sync_state state = verdict_judge(&reading);
    print_words(&reading, state);
    report_text(text, sizeof text, &report);
    fputs(text, stdout);
    if (error != 0 || (!reading.daemon_answered && (reading.valid & VALID_CLOCK_DIFF) == 0)) {
        return PROBE_NOTHING;
    }
    return state == SYNC_SYNCED ? PROBE_SYNCED : PROBE_NOT_SYNCED;
}
