#include "timesource/kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/timex.h>

// Where the kernel's error estimate ends, and how fast it gets there without a daemon.
#define MAX_ERROR_LIMIT_US   INT64_C(16000000)
#define MAX_ERROR_GROWTH_PPM 500

// The longest poll of the daemons that use the kernel (systemd-timesyncd).
#define POLL_LONGEST_NS (2048 * NS_PER_S)

#define TICK_NOMINAL_US 10000
#define PPM_PER_TICK_US 100
#define PPT_PER_PPM     INT64_C(1000000)
#define FREQ_FRACTION   65536 // timex.freq is ppm with a 16-bit fraction

struct kernel {
    struct timesource base;
};

static void to_report(const struct timex *timex, int returned, struct report_kernel *out)
{
    bool is_nano = ((unsigned)timex->status & STA_NANO) != 0;
    *out = (struct report_kernel){
        .state = returned,
        .status = (uint32_t)timex->status,
        .offset_ns = (int64_t)timex->offset * (is_nano ? 1 : NS_PER_US),
        .freq_ppt = (int64_t)timex->freq * PPT_PER_PPM / FREQ_FRACTION,
        .max_error_us = timex->maxerror,
        .est_error_us = timex->esterror,
        .tick_us = timex->tick,
        .tai_s = timex->tai,
    };
}

static enum clock_status judge_status(const struct report_kernel *state)
{
    bool is_unsync = (state->status & STA_UNSYNC) != 0;
    if (state->max_error_us < 0) {
        return STATUS_UNKNOWN;
    }
    if (state->max_error_us >= MAX_ERROR_LIMIT_US) {
        return is_unsync && (state->status & STA_PLL) == 0 ? STATUS_NOT_SYNCHRONISED
                                                           : STATUS_UNKNOWN;
    }
    if ((state->status & STA_INS) != 0) {
        return STATUS_INSERT_SECOND;
    }
    return (state->status & STA_DEL) != 0 ? STATUS_DELETE_SECOND : STATUS_NORMAL;
}

void kernel_judge(const struct report_kernel *state, struct reading *out)
{
    *out = (struct reading){.source = SOURCE_KERNEL, .status = judge_status(state)};
    if (out->status == STATUS_UNKNOWN || out->status == STATUS_NOT_SYNCHRONISED) {
        return;
    }
    out->ref_age_ns = state->max_error_us * NS_PER_US * (PPT_PER_PPM / MAX_ERROR_GROWTH_PPM);
    out->update_interval_ns = POLL_LONGEST_NS;
    out->error_bound_ns = state->max_error_us * NS_PER_US;
    out->valid = VALID_REF_AGE | VALID_UPDATE_INTERVAL | VALID_ERROR_BOUND | VALID_FREQ;
    // The kernel's sign is the correction's: a clock that runs fast uncorrected is slowed down.
    out->freq_ppt =
        -(state->freq_ppt + (state->tick_us - TICK_NOMINAL_US) * PPM_PER_TICK_US * PPT_PER_PPM);
    if ((state->status & STA_PLL) != 0) {
        out->clock_diff_ns = -state->offset_ns; // what the loop has still to add
        out->valid |= VALID_CLOCK_DIFF;
    }
}

// 0 or -errno: a sandbox may forbid it.
static int ask_kernel(struct report_kernel *state)
{
    struct timex timex = {.modes = 0};
    int returned = adjtimex(&timex);
    if (returned < 0) {
        return -errno;
    }
    to_report(&timex, returned, state);
    return 0;
}

static int kernel_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    (void)source;
    (void)deadline; // it never waits
    struct report_kernel state = {0};
    int error = ask_kernel(&state);
    if (error == 0) {
        kernel_judge(&state, out);
    }
    return error;
}

// Asked anew: where a daemon answers, nobody has read the kernel before.
static void kernel_report(struct timesource *source, struct source_report *out)
{
    (void)source;
    if (ask_kernel(&out->kernel) == 0) {
        out->valid |= REPORT_KERNEL;
    }
}

static void kernel_close(struct timesource *source)
{
    free(source);
}

static const struct timesource_ops kernel_ops = {
    .name = "kernel",
    .read = kernel_read,
    .report = kernel_report,
    .close = kernel_close,
};

int kernel_open(struct timesource **source)
{
    struct kernel *k = calloc(1, sizeof *k);
    if (k == NULL) {
        return -ENOMEM;
    }
    k->base.ops = &kernel_ops;
    *source = (struct timesource *)k;
    return 0;
}
