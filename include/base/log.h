/*
 * Log lines to stderr and syslog. Safe from any thread; errno is left as it was.
 *
 * Speak at the edge (a thread loop, main), once per change of state. Never pass a URL with its
 * query string: whoever holds the query may write to the bucket.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Opens the sinks. to_syslog: also hand each line to syslog under NAME (a literal, kept). */
void log_open(const char *name, enum log_level level, bool to_syslog);
void log_set_level(enum log_level level);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * True when NOW differs from *LAST, which then becomes NOW: the guard that turns a condition seen
 * each second into one line per change. *last belongs to the calling thread.
 */
bool log_changed(int *last, int now);

#endif
