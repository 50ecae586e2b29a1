#include "timesource/chronyd.h"

#include "timesource/chrony_link.h"
#include "timesource/chrony_reading.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES_EVERY_NS (10 * NS_PER_S)

// chronyd's own default minpoll, until the source list says better: right after the start burst
// the last update interval is 2 s while the next poll is 64 s away.
#define POLL_DEFAULT_LOG2_S 6
#define POLL_MIN_LOG2_S     (-7)
#define POLL_MAX_LOG2_S     24

#define STATE_SELECTED 0

struct source_list {
    uint32_t count;  // of the daemon
    uint32_t stored; // in sources[]
    bool has_activity;
    struct report_activity activity;
    struct report_source sources[REPORT_SOURCES_MAX];
};

struct chronyd {
    struct timesource base;
    struct chrony_link link;
    struct report_tracking tracking;
    bool has_tracking; // the newest read was answered
    bool is_silent;    // it was not, although somebody may be there
    struct ref_age age;
    struct source_list list;
    bool has_list;
    bool list_tried;
    mono_time list_tried_at;
    int poll_log2_s;      // of the source selected last
    mono_time asked_mono; // when the questions of the next read were sent ahead
    wall_time asked_wall;
    uint8_t reply[CHRONY_REPLY_BUFFER];
};

static int ask(struct chronyd *c, enum chrony_command command, uint32_t index, mono_time deadline)
{
    return chrony_link_ask(&c->link, command, index, deadline, c->reply);
}

static int ask_source(struct chronyd *c, uint32_t index, mono_time deadline,
                      struct report_source *out)
{
    int error = ask(c, CHRONY_SOURCE_DATA, index, deadline);
    if (error != 0) {
        return error;
    }
    chrony_decode_source_data(c->reply, out);
    error = ask(c, CHRONY_SOURCESTATS, index, deadline);
    if (error == 0) {
        chrony_decode_sourcestats(c->reply, out);
    }
    return error;
}

// All or nothing: a list cut off by the deadline would look as if sources had gone.
static int ask_list(struct chronyd *c, mono_time deadline, struct source_list *list)
{
    *list = (struct source_list){0};
    int error = ask(c, CHRONY_N_SOURCES, 0, deadline);
    if (error != 0) {
        return error;
    }
    list->count = chrony_decode_source_count(c->reply);
    list->stored = list->count < REPORT_SOURCES_MAX ? list->count : REPORT_SOURCES_MAX;
    for (uint32_t i = 0; i < list->stored; i++) {
        error = ask_source(c, i, deadline, &list->sources[i]);
        if (error != 0) {
            return error;
        }
    }
    if (ask(c, CHRONY_ACTIVITY, 0, deadline) == 0) {
        chrony_decode_activity(c->reply, &list->activity);
        list->has_activity = true;
    }
    return 0;
}

static void note_poll(struct chronyd *c)
{
    for (uint32_t i = 0; i < c->list.stored; i++) {
        int poll = c->list.sources[i].poll_log2_s;
        if (c->list.sources[i].state == STATE_SELECTED && poll >= POLL_MIN_LOG2_S &&
            poll <= POLL_MAX_LOG2_S) {
            c->poll_log2_s = poll;
            return;
        }
    }
}

static void refresh_list(struct chronyd *c, mono_time now, mono_time deadline)
{
    struct source_list list;
    uint32_t refusal = c->link.refusal;
    c->list_tried = true;
    c->list_tried_at = now;
    c->has_list = ask_list(c, deadline, &list) == 0;
    if (c->has_list) {
        c->list = list;
        note_poll(c);
    }
    c->link.refusal = refusal; // it is about tracking, not about the list
}

static bool is_list_old(const struct chronyd *c, mono_time now)
{
    return !c->list_tried || mono_diff_ns(now, c->list_tried_at) >= SOURCES_EVERY_NS;
}

static bool is_list_due(const struct chronyd *c, const struct report_tracking *newest,
                        mono_time now)
{
    return is_list_old(c, now) || !c->has_tracking || newest->leap != c->tracking.leap ||
           newest->ref_id != c->tracking.ref_id || newest->stratum != c->tracking.stratum;
}

static void fill_interval(const struct chronyd *c, struct reading *reading)
{
    int64_t poll_ns = llround(ldexp(1e9, c->poll_log2_s));
    int64_t update_ns = 0;
    bool has_update = chrony_interval_ns(c->tracking.update_interval_s, &update_ns);
    reading->update_interval_ns = has_update && update_ns > poll_ns ? update_ns : poll_ns;
    reading->valid |= VALID_UPDATE_INTERVAL;
}

static void fill_reach(const struct chronyd *c, struct reading *reading)
{
    if (!c->has_list || c->list.stored < c->list.count) {
        return; // one we do not know might be reachable
    }
    reading->valid |= VALID_REACH;
    for (uint32_t i = 0; i < c->list.stored; i++) {
        reading->reachable |= c->list.sources[i].reach != 0;
    }
}

static int chronyd_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    struct chronyd *c = (struct chronyd *)source;
    int error = ask(c, CHRONY_TRACKING, 0, deadline);
    c->is_silent = error == -ETIMEDOUT;
    if (error != 0) {
        c->has_tracking = false;
        return error;
    }
    struct report_tracking tracking;
    chrony_decode_tracking(c->reply, &tracking);
    mono_time now = c->link.was_ahead ? c->asked_mono : mono_now();
    wall_time wall = c->link.was_ahead ? c->asked_wall : wall_now();
    bool is_due = is_list_due(c, &tracking, now);
    c->tracking = tracking;
    c->has_tracking = true;
    if (is_due) {
        refresh_list(c, now, deadline);
    }
    chrony_reading(&c->tracking, out);
    out->source = SOURCE_CHRONY;
    out->daemon_expected = true;
    int64_t age_ns = ref_age_update(&c->age, &c->tracking, now, wall);
    if ((out->valid & VALID_STRATUM) != 0 && !out->local_only) {
        out->ref_age_ns = age_ns;
        out->valid |= VALID_REF_AGE;
        fill_interval(c, out);
    }
    fill_reach(c, out);
    return 0;
}

// In the order in which ask_list will ask, should the list still be as long as last time.
static void ask_list_ahead(struct chronyd *c)
{
    chrony_link_ask_ahead(&c->link, CHRONY_N_SOURCES, 0);
    for (uint32_t i = 0; i < c->list.stored; i++) {
        chrony_link_ask_ahead(&c->link, CHRONY_SOURCE_DATA, i);
        chrony_link_ask_ahead(&c->link, CHRONY_SOURCESTATS, i);
    }
    chrony_link_ask_ahead(&c->link, CHRONY_ACTIVITY, 0);
}

static bool chronyd_ask_ahead(struct timesource *source)
{
    struct chronyd *c = (struct chronyd *)source;
    chrony_link_forget_ahead(&c->link);
    if (!c->has_tracking && !c->is_silent) {
        return false;
    }
    c->asked_mono = mono_now();
    c->asked_wall = wall_now();
    chrony_link_ask_ahead(&c->link, CHRONY_TRACKING, 0);
    if (c->has_list && is_list_old(c, c->asked_mono)) {
        ask_list_ahead(c);
    }
    // A silent one may answer late, or have just woken up; that is nothing to wait for.
    return c->has_tracking && c->link.ahead_count > 0;
}

static void chronyd_report(struct timesource *source, struct source_report *out)
{
    const struct chronyd *c = (const struct chronyd *)source;
    out->replies += c->link.replies;
    out->replies_rejected += c->link.rejected;
    out->replies_missing += c->link.missing;
    out->refusal = c->link.refusal;
    if (!c->has_tracking) {
        return;
    }
    out->valid |= REPORT_TRACKING;
    out->tracking = c->tracking;
    if (c->has_list) {
        out->valid |= REPORT_SOURCES;
        out->source_count = c->list.count;
        memcpy(out->sources, c->list.sources, c->list.stored * sizeof c->list.sources[0]);
        out->activity = c->list.activity;
        out->valid |= c->list.has_activity ? REPORT_ACTIVITY : 0;
    }
}

static void chronyd_close(struct timesource *source)
{
    struct chronyd *c = (struct chronyd *)source;
    chrony_link_close(&c->link);
    free(c);
}

static const struct timesource_ops chronyd_ops = {
    .name = "chronyd",
    .read = chronyd_read,
    .ask_ahead = chronyd_ask_ahead,
    .report = chronyd_report,
    .close = chronyd_close,
};

int chronyd_open(struct timesource **source, const char *address)
{
    struct chronyd *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return -ENOMEM;
    }
    c->base.ops = &chronyd_ops;
    c->poll_log2_s = POLL_DEFAULT_LOG2_S;
    int error = chrony_link_init(&c->link, address);
    if (error != 0) {
        free(c);
        return error;
    }
    *source = &c->base;
    return 0;
}
