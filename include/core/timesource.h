/*
 * The one interface to whatever knows the time: chronyd, chronyc, the kernel, an SNTP server.
 *
 * A driver embeds struct timesource as its first member and fills in the ops. All calls come from
 * one thread at a time. A driver never blocks past the deadline it is given, never logs, and says
 * "absent" by leaving a validity bit clear.
 */
#ifndef CORE_TIMESOURCE_H
#define CORE_TIMESOURCE_H

#include "base/nstime.h"
#include "core/reading.h"
#include "core/report.h"

#include <stdbool.h>
#include <stddef.h>

struct timesource;

struct timesource_ops {
    const char *name;
    /*
     * Fills all of OUT. 0, or -errno when this source has nothing to say now (-ETIMEDOUT: asked
     * and silent, -ECONNREFUSED: nobody there, -EACCES: refused, -EAGAIN: not due); then OUT is
     * untouched.
     */
    int (*read)(struct timesource *source, mono_time deadline, struct reading *out);
    /*
     * Sends the questions of the next read and does not wait for the answers. True: that read will
     * most likely find them, so without a wait, and its reading is as of now. May be NULL.
     */
    bool (*ask_ahead)(struct timesource *source);
    /* Adds what it knows to OUT (zeroed by the caller); no input or output. May be NULL. */
    void (*report)(struct timesource *source, struct source_report *out);
    /* Releases everything, SOURCE itself included. */
    void (*close)(struct timesource *source);
};

struct timesource {
    const struct timesource_ops *ops;
};

static inline int timesource_read(struct timesource *source, mono_time deadline,
                                  struct reading *out)
{
    return source->ops->read(source, deadline, out);
}

static inline bool timesource_ask_ahead(struct timesource *source)
{
    return source->ops->ask_ahead != NULL && source->ops->ask_ahead(source);
}

static inline void timesource_report(struct timesource *source, struct source_report *out)
{
    if (source->ops->report != NULL) {
        source->ops->report(source, out);
    }
}

static inline void timesource_close(struct timesource *source)
{
    if (source != NULL) {
        source->ops->close(source);
    }
}

#endif
