/*
 * DESIGN
 *
 * At most one child at a time, its standard output a pipe that we read without blocking. A read of
 * this source takes what is there; end of file and a zero exit status make a result, anything else
 * a failure. Past its deadline the child is killed, and collected at a later read, so that a child
 * that does not die at once can not hold us either.
 */
#include "timesource/chronyc.h"

#include "timesource/chrony_reading.h"
#include "timesource/tracking_parse.h"
#include "timesource/udp_address.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_MAX_NS    NS_PER_S
#define EVERY_NS      (10 * NS_PER_S)
#define EVERY_MAX_NS  (640 * NS_PER_S)
#define RESULT_MAX_NS (25 * NS_PER_S) // two runs and a half: one may fail
#define OUTPUT_MAX    4096

#define DEFAULT_ADDRESS "127.0.0.1:323"

// chronyd's own default poll; its source list is not asked for on this way.
#define POLL_DEFAULT_NS (64 * NS_PER_S)

struct chronyc {
    struct timesource base;
    char *path;
    char host[UDP_HOST_MAX]; // "" = chronyc's own choice
    char port[8];

    pid_t child; // 0 = none
    int output_fd;
    bool was_killed;
    mono_time started;
    size_t length; // of output
    char output[OUTPUT_MAX];

    mono_time due;
    int64_t every_ns;
    int last_error; // of the newest run; -EAGAIN = none yet
    bool has_result;
    mono_time result_at;
    struct report_tracking tracking;
    struct ref_age age;
};

bool chronyc_is_installed(const struct timesource *source)
{
    const struct chronyc *c = (const struct chronyc *)source;
    return access(c->path, X_OK) == 0;
}

static void set_signals(posix_spawnattr_t *attr)
{
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(attr, &set); // ours blocks all of them
    sigfillset(&set);
    posix_spawnattr_setsigdefault(attr, &set);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

#define ARGUMENTS_MAX 12

// Fills ARGV, which ends with NULL. posix_spawn takes pointers to char, but writes through none.
static void make_arguments(const struct chronyc *c, char *argv[ARGUMENTS_MAX])
{
    const char *with_host[ARGUMENTS_MAX] = {c->path, "-n", "-h",          c->host,     "-p",
                                            c->port, "-m", "timeout 200", "retries 0", "tracking"};
    const char *plain[ARGUMENTS_MAX] = {c->path,       "-n",        "-m",
                                        "timeout 200", "retries 0", "tracking"};
    memcpy(argv, c->host[0] != '\0' ? with_host : plain, sizeof with_host);
}

// No shell, no inherited environment: no time zone or locale of ours, no preloaded library.
static int spawn(struct chronyc *c, int output)
{
    char locale[] = "LC_ALL=C";
    char *environment[] = {locale, NULL};
    char *argv[ARGUMENTS_MAX];
    make_arguments(c, argv);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return -error;
    }
    error = posix_spawnattr_init(&attr);
    if (error == 0) {
        set_signals(&attr);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        error = posix_spawn(&c->child, c->path, &actions, &attr, argv, environment);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        c->child = 0;
    }
    return -error;
}

static int start(struct chronyc *c, mono_time now)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    int error = fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 ? spawn(c, fds[1]) : -errno;
    close(fds[1]);
    if (error != 0) {
        close(fds[0]);
        return error;
    }
    c->output_fd = fds[0];
    c->length = 0;
    c->was_killed = false;
    c->started = now;
    return 0;
}

// When the next run is due, after one that ended with ERROR.
static void plan(struct chronyc *c, mono_time now, int error)
{
    c->last_error = error;
    if (error == 0) {
        c->every_ns = EVERY_NS;
    }
    c->due = mono_add(now, c->every_ns);
    if (error != 0) {
        c->every_ns = c->every_ns > EVERY_MAX_NS / 2 ? EVERY_MAX_NS : 2 * c->every_ns;
    }
}

static void take_result(struct chronyc *c, mono_time now, int status)
{
    struct report_tracking tracking;
    int error = -EIO;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && c->length < OUTPUT_MAX) {
        error = tracking_parse(c->output, c->length, &tracking);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        error = -ENOENT;
    }
    if (error == 0) {
        c->tracking = tracking;
        c->has_result = true;
        c->result_at = now;
        ref_age_update(&c->age, &tracking, now, wall_now());
    }
    plan(c, now, error);
}

static void read_output(struct chronyc *c)
{
    while (c->output_fd >= 0 && c->length < OUTPUT_MAX) {
        ssize_t got = read(c->output_fd, c->output + c->length, OUTPUT_MAX - c->length);
        if (got > 0) {
            c->length += (size_t)got;
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && errno == EAGAIN) {
            return;
        } else {
            close(c->output_fd);
            c->output_fd = -1;
        }
    }
}

static void drop_output(struct chronyc *c)
{
    if (c->output_fd >= 0) {
        close(c->output_fd);
        c->output_fd = -1;
    }
}

static void collect(struct chronyc *c, mono_time now)
{
    int status = 0;
    read_output(c);
    bool must_end = mono_diff_ns(now, c->started) >= RUN_MAX_NS || c->length == OUTPUT_MAX;
    if (must_end && !c->was_killed) {
        kill(c->child, SIGKILL);
        c->was_killed = true;
    }
    if (waitpid(c->child, &status, WNOHANG) == 0) {
        return;
    }
    read_output(c); // what it wrote between our reading and its end
    drop_output(c);
    c->child = 0;
    take_result(c, now, status);
}

void chronyc_settle(struct timesource *source)
{
    struct chronyc *c = (struct chronyc *)source;
    if (c->child != 0) {
        collect(c, mono_now());
    }
}

static int chronyc_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    struct chronyc *c = (struct chronyc *)source;
    (void)deadline; // it never waits
    mono_time now = mono_now();
    chronyc_settle(source);
    if (c->child == 0 && mono_diff_ns(now, c->due) >= 0) {
        int error = start(c, now);
        if (error != 0) {
            plan(c, now, error);
        }
    }
    if (!c->has_result || mono_diff_ns(now, c->result_at) > RESULT_MAX_NS) {
        c->has_result = false;
        return c->last_error != 0 ? c->last_error : -EAGAIN;
    }
    chrony_reading(&c->tracking, out);
    out->source = SOURCE_CHRONYC;
    out->daemon_expected = true;
    if ((out->valid & VALID_STRATUM) != 0 && !out->local_only) {
        int64_t interval_ns = 0;
        bool has_interval = chrony_interval_ns(c->tracking.update_interval_s, &interval_ns);
        out->ref_age_ns = mono_diff_ns(now, c->age.since);
        out->update_interval_ns =
            has_interval && interval_ns > POLL_DEFAULT_NS ? interval_ns : POLL_DEFAULT_NS;
        out->valid |= VALID_REF_AGE | VALID_UPDATE_INTERVAL;
    }
    return 0;
}

static void chronyc_report(struct timesource *source, struct source_report *out)
{
    const struct chronyc *c = (const struct chronyc *)source;
    if (c->has_result && (out->valid & REPORT_TRACKING) == 0) {
        out->tracking = c->tracking;
        out->valid |= REPORT_TRACKING;
    }
}

static void release(struct chronyc *c)
{
    if (c->child != 0) {
        kill(c->child, SIGKILL);
        while (waitpid(c->child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    drop_output(c);
    free(c->path);
    free(c);
}

static void chronyc_close(struct timesource *source)
{
    release((struct chronyc *)source);
}

static const struct timesource_ops chronyc_ops = {
    .name = "chronyc",
    .read = chronyc_read,
    .report = chronyc_report,
    .close = chronyc_close,
};

static int set_address(struct chronyc *c, const char *address)
{
    uint16_t port;
    if (address == NULL || address[0] == '\0' || strcmp(address, DEFAULT_ADDRESS) == 0) {
        return 0;
    }
    int error = udp_address_split(address, 0, c->host, &port);
    snprintf(c->port, sizeof c->port, "%u", port);
    return error;
}

int chronyc_open(struct timesource **source, const char *path, const char *address)
{
    struct chronyc *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return -ENOMEM;
    }
    c->base.ops = &chronyc_ops;
    c->output_fd = -1;
    c->every_ns = EVERY_NS;
    c->last_error = -EAGAIN;
    c->due = mono_now();
    c->path = strdup(path);
    int error = c->path == NULL ? -ENOMEM : set_address(c, address);
    if (error != 0) {
        release(c);
        return error;
    }
    *source = (struct timesource *)c;
    return 0;
}
