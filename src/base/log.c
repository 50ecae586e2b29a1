#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define LINE_MAX_BYTES 1024

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

// Set once before the threads start, but for the level, which a config reread may change.
static const char *program = "ntp_logger";
static bool use_syslog;
static atomic_int threshold = LOG_LEVEL_INFO;

void log_open(const char *name, enum log_level level, bool to_syslog)
{
    program = name;
    use_syslog = to_syslog;
    log_set_level(level);
    if (to_syslog) {
        openlog(name, LOG_PID, LOG_DAEMON);
    }
}

void log_set_level(enum log_level level)
{
    // Relaxed: the level guards no other data; a line more or less around a change is fine.
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

void log_line(enum log_level level, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed)) {
        return;
    }
    int saved_errno = errno;
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);

    // One call per line: stdio locks the stream, so lines of two threads do not mix.
    fprintf(stderr, "%s: %s: %s\n", program, levels[level].name, line);
    if (use_syslog) {
        syslog(levels[level].priority, "%s", line);
    }
    errno = saved_errno;
}

bool log_changed(int *last, int now)
{
    bool changed = *last != now;
    *last = now;
    return changed;
}
