#include "timesource/panel.h"

#include "timesource/chronyd.h"
#include "timesource/kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct panel {
    struct timesource base;
    struct timesource *chronyd; // NULL = not asked
    struct timesource *kernel;
    bool daemon_seen; // it answered in this run
};

static bool is_given(const char *setting)
{
    return setting != NULL && setting[0] != '\0';
}

// Silence means that somebody holds the port and does not answer; a refused port means nobody does.
static void mark_daemon(struct panel *p, int error, struct reading *out)
{
    p->daemon_seen |= error == 0 || error == -EACCES;
    out->daemon_answered = error == 0 || error == -EACCES;
    out->daemon_expected = p->daemon_seen || error == -ETIMEDOUT;
}

static int panel_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    struct panel *p = (struct panel *)source;
    struct reading kernel = {.source = SOURCE_NONE, .status = STATUS_UNKNOWN};
    struct reading chrony = {.source = SOURCE_NONE};
    (void)timesource_read(p->kernel, deadline, &kernel); // refused: it stays "none, unknown"
    int error = -ENOENT;
    if (p->chronyd != NULL) {
        error = timesource_read(p->chronyd, deadline, &chrony);
    }
    *out = error == 0 ? chrony : kernel;
    mark_daemon(p, error, out);
    return 0;
}

static void panel_report(struct timesource *source, struct source_report *out)
{
    struct panel *p = (struct panel *)source;
    timesource_report(p->kernel, out);
    if (p->chronyd != NULL) {
        timesource_report(p->chronyd, out);
    }
}

static void panel_close(struct timesource *source)
{
    struct panel *p = (struct panel *)source;
    timesource_close(p->chronyd);
    timesource_close(p->kernel);
    free(p);
}

static const struct timesource_ops panel_ops = {
    .name = "panel",
    .read = panel_read,
    .report = panel_report,
    .close = panel_close,
};

int panel_open(struct timesource **panel, const struct panel_config *config, const char **wrong)
{
    struct panel *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return -ENOMEM;
    }
    p->base.ops = &panel_ops;
    const char *setting = NULL;
    int error = kernel_open(&p->kernel);
    if (error == 0 && is_given(config->chrony_address)) {
        error = chronyd_open(&p->chronyd, config->chrony_address);
        setting = "chrony_address";
    }
    if (error != 0) {
        if (wrong != NULL) {
            *wrong = setting;
        }
        panel_close(&p->base);
        return error;
    }
    *panel = &p->base;
    return 0;
}
