#include "app/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

// Editors write in place or rename over: both end with one of these on the directory.
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO)

static void watch_file(struct watch *watch, int index, const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    watch->names[index] = slash == NULL ? path : slash + 1;
    if (slash == NULL) {
        snprintf(dir, sizeof dir, ".");
    } else {
        snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
    watch->descriptors[index] = inotify_add_watch(watch->inotify_fd, dir, FILE_EVENTS);
}

int watch_open(struct watch *watch, const char *const paths[WATCH_FILES_MAX])
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    signal(SIGPIPE, SIG_IGN);
    watch->signal_fd = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
    if (watch->signal_fd < 0) {
        return -errno;
    }
    watch->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    for (int i = 0; i < WATCH_FILES_MAX; i++) {
        watch->descriptors[i] = -1;
        if (watch->inotify_fd >= 0 && paths[i][0] != '\0') {
            watch_file(watch, i, paths[i]);
        }
    }
    return 0;
}

void watch_close(struct watch *watch)
{
    close(watch->signal_fd);
    if (watch->inotify_fd >= 0) {
        close(watch->inotify_fd);
    }
}

static bool is_ours(const struct watch *watch, const struct inotify_event *event)
{
    for (int i = 0; i < WATCH_FILES_MAX; i++) {
        if (event->wd == watch->descriptors[i] && event->len > 0 &&
            strcmp(event->name, watch->names[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Reads what inotify has to say; true when it concerns one of the files.
static bool files_changed(struct watch *watch)
{
    _Alignas(struct inotify_event) char events[4096];
    bool changed = false;
    ssize_t got;
    while ((got = read(watch->inotify_fd, events, sizeof events)) > 0) {
        for (char *p = events; p < events + got;) {
            const struct inotify_event *event = (const void *)p;
            changed = changed || is_ours(watch, event);
            p += sizeof *event + event->len;
        }
    }
    return changed;
}

// The oldest signal waiting, or 0.
static int next_signal(struct watch *watch)
{
    struct signalfd_siginfo info;
    return read(watch->signal_fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo
                                                                              : 0;
}

enum watch_event watch_wait(struct watch *watch, const mono_time *deadline)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = watch->signal_fd, .events = POLLIN},
            {.fd = watch->inotify_fd, .events = POLLIN},
        };
        int timeout_ms = -1; // for ever
        if (deadline != NULL) {
            int64_t left_ns = mono_diff_ns(*deadline, mono_now());
            if (left_ns <= 0) {
                return WATCH_DEADLINE;
            }
            timeout_ms = nstime_to_poll_ms(left_ns);
        }
        if (poll(fds, 2, timeout_ms) <= 0) {
            continue;
        }
        int signal_number = next_signal(watch);
        if (signal_number == SIGTERM || signal_number == SIGINT) {
            return WATCH_STOP;
        }
        if (signal_number == SIGHUP || files_changed(watch)) {
            return WATCH_RELOAD;
        }
    }
}
