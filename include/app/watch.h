/*
 * What main waits for: signals, and the configuration files being written anew. Main thread.
 */
#ifndef APP_WATCH_H
#define APP_WATCH_H

#include "base/nstime.h"

#define WATCH_FILES_MAX 2

struct watch {
    int signal_fd;
    int inotify_fd;                     /* -1: files are not watched, SIGHUP still works */
    const char *names[WATCH_FILES_MAX]; /* base names, into the caller's paths */
    int descriptors[WATCH_FILES_MAX];
};

enum watch_event { WATCH_DEADLINE, WATCH_STOP, WATCH_RELOAD };

/*
 * Blocks the signals in the calling thread (do it before any other thread starts) and watches the
 * directories of PATHS ("" = none); the paths stay the caller's and outlive WATCH. 0 or -errno.
 */
int watch_open(struct watch *watch, const char *const paths[WATCH_FILES_MAX]);
void watch_close(struct watch *watch);

/* Waits for one event, at most until DEADLINE (NULL = for ever). */
enum watch_event watch_wait(struct watch *watch, const mono_time *deadline);

#endif
