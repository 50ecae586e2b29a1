#include "timesource/panel.h"

#include "timesource/chronyc.h"
#include "timesource/chronyd.h"
#include "timesource/kernel.h"
#include "timesource/sntp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct panel {
    struct timesource base;
    struct timesource *chronyd; // NULL = not asked; likewise the next two
    struct timesource *chronyc;
    struct timesource *sntp;
    struct timesource *kernel;
    bool daemon_seen; // it answered in this run
    bool chronyc_used;
};

static bool is_given(const char *setting)
{
    return setting != NULL && setting[0] != '\0';
}

static bool is_good(enum clock_status status)
{
    return status == STATUS_NORMAL || status == STATUS_INSERT_SECOND ||
           status == STATUS_DELETE_SECOND;
}

// Silence means that somebody holds the port and does not answer; a refused port means nobody does.
static void mark_daemon(struct panel *p, int chronyd_error, bool has_answer, struct reading *out)
{
    bool is_there = has_answer || chronyd_error == -EACCES;
    p->daemon_seen |= is_there;
    out->daemon_answered = is_there;
    out->daemon_expected = p->daemon_seen || chronyd_error == -ETIMEDOUT ||
                           (p->chronyc != NULL && chronyc_is_installed(p->chronyc));
}

// A run that was started while chronyd was silent has still to be collected.
static void settle_chronyc(struct panel *p)
{
    if (p->chronyc != NULL) {
        chronyc_settle(p->chronyc);
    }
}

// The daemon's word: directly, else through its program. 0 when there is one.
static int ask_daemon(struct panel *p, mono_time deadline, struct reading *out, int *chronyd_error)
{
    *chronyd_error = -ENOENT;
    p->chronyc_used = false;
    if (p->chronyd != NULL) {
        *chronyd_error = timesource_read(p->chronyd, deadline, out);
        if (*chronyd_error == 0) {
            settle_chronyc(p);
            return 0;
        }
    }
    if (p->chronyc == NULL) {
        return *chronyd_error;
    }
    p->chronyc_used = true;
    return timesource_read(p->chronyc, deadline, out);
}

/*
 * Without a daemon: an SNTP server measures, the kernel says whether somebody steers. The kernel's
 * word is no use where it can not know (busybox ntpd never tells it), so the server's stands then.
 */
static struct reading merge(const struct reading *sntp, const struct reading *kernel)
{
    if (sntp->source == SOURCE_NONE) {
        return *kernel;
    }
    struct reading merged = *sntp;
    if (is_good(kernel->status)) {
        merged.status = kernel->status;
    }
    if ((kernel->valid & VALID_FREQ) != 0) {
        merged.freq_ppt = kernel->freq_ppt;
        merged.valid |= VALID_FREQ;
    }
    return merged;
}

static int panel_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    struct panel *p = (struct panel *)source;
    struct reading daemon = {.source = SOURCE_NONE, .status = STATUS_UNKNOWN};
    struct reading sntp = daemon;
    struct reading kernel = daemon;
    int chronyd_error = 0;
    // A source that has nothing to say leaves its reading at "none, unknown".
    bool has_answer = ask_daemon(p, deadline, &daemon, &chronyd_error) == 0;
    if (!has_answer) {
        (void)timesource_read(p->kernel, deadline, &kernel);
    }
    if (p->sntp != NULL) {
        (void)timesource_read(p->sntp, deadline, &sntp);
    }
    if (has_answer) {
        *out = daemon;
        out->contradicted = p->sntp != NULL && sntp_contradicts(p->sntp, out);
    } else {
        *out = merge(&sntp, &kernel);
    }
    mark_daemon(p, chronyd_error, has_answer, out);
    return 0;
}

// Only chronyd's answers are worth it: the others are read without a wait, or rarely.
static bool panel_ask_ahead(struct timesource *source)
{
    struct panel *p = (struct panel *)source;
    return p->chronyd != NULL && timesource_ask_ahead(p->chronyd);
}

static void panel_report(struct timesource *source, struct source_report *out)
{
    struct panel *p = (struct panel *)source;
    timesource_report(p->kernel, out);
    if (p->chronyd != NULL) {
        timesource_report(p->chronyd, out);
    }
    if (p->chronyc_used) {
        timesource_report(p->chronyc, out);
    }
    if (p->sntp != NULL) {
        timesource_report(p->sntp, out);
    }
}

static void panel_close(struct timesource *source)
{
    struct panel *p = (struct panel *)source;
    timesource_close(p->sntp);
    timesource_close(p->chronyc);
    timesource_close(p->chronyd);
    timesource_close(p->kernel);
    free(p);
}

static const struct timesource_ops panel_ops = {
    .name = "panel",
    .read = panel_read,
    .ask_ahead = panel_ask_ahead,
    .report = panel_report,
    .close = panel_close,
};

// Opens what CONFIG names; *SETTING is the one at hand.
static int open_sources(struct panel *p, const struct panel_config *config, const char **setting)
{
    int error = kernel_open(&p->kernel);
    *setting = "chrony_address";
    if (error == 0 && is_given(config->chrony_address)) {
        error = chronyd_open(&p->chronyd, config->chrony_address);
    }
    if (error == 0 && is_given(config->chronyc_path)) {
        error = chronyc_open(&p->chronyc, config->chronyc_path, config->chrony_address);
    }
    if (error == 0 && is_given(config->ntp_servers)) {
        *setting = "ntp_servers";
        error = sntp_open(&p->sntp, config->ntp_servers);
    }
    return error;
}

int panel_open(struct timesource **panel, const struct panel_config *config, const char **wrong)
{
    struct panel *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return -ENOMEM;
    }
    const char *setting;
    p->base.ops = &panel_ops;
    int error = open_sources(p, config, &setting);
    if (error != 0) {
        if (wrong != NULL) {
            *wrong = setting;
        }
        panel_close(&p->base);
        return error;
    }
    *panel = (struct timesource *)p;
    return 0;
}
