/*
 * All time sources behind one: what the sampler holds.
 *
 * Asked in order of preference: chronyd's own protocol, the chronyc program, an SNTP server, the
 * kernel. The first that answers gives the reading; the others go into the report, and a fresh SNTP
 * probe may contradict it. Its read succeeds always: with no source at all the reading says so.
 */
#ifndef TIMESOURCE_PANEL_H
#define TIMESOURCE_PANEL_H

#include "core/timesource.h"

/* NULL or "" leaves a source out. Texts are copied. */
struct panel_config {
    const char *chrony_address; /* "host:port", numeric */
    const char *chronyc_path;   /* the program to fall back to */
    const char *ntp_servers;    /* hosts to probe, separated by commas or spaces, "host[:port]" */
};

/*
 * 0, -ENOMEM, or -EINVAL for a malformed address: then *WRONG (may be NULL) names the setting, as
 * in struct panel_config.
 */
int panel_open(struct timesource **panel, const struct panel_config *config, const char **wrong);

#endif
