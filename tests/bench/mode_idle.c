/*
 * What doing nothing much costs: a bare loop that wakes once per period, one that also asks
 * chronyd, one that starts a program per period, and any process watched from outside by what the
 * kernel says of its threads. All three run side by side, so that the same noise hits them.
 */
#include "bench.h"
#include "modes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct usage {
    double cpu_us;
    double voluntary;
    double involuntary;
    int threads;
};

/* ---- a process, from outside ---- */

static bool read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    size_t n = fread(text, 1, size - 1, file);
    text[n] = '\0';
    fclose(file);
    return n > 0;
}

static double field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at == NULL ? 0 : strtod(at + strlen(name), NULL);
}

// schedstat counts in nanoseconds; the times in stat only in hundredths of a second.
static bool add_thread(const char *task_dir, const char *tid, struct usage *usage)
{
    char path[128];
    char text[4096];
    snprintf(path, sizeof path, "%s/%.20s/schedstat", task_dir, tid);
    if (!read_file(path, text, sizeof text)) {
        return false;
    }
    usage->cpu_us += strtod(text, NULL) / 1e3;
    snprintf(path, sizeof path, "%s/%.20s/status", task_dir, tid);
    if (!read_file(path, text, sizeof text)) {
        return false;
    }
    usage->voluntary += field(text, "\nvoluntary_ctxt_switches:");
    usage->involuntary += field(text, "\nnonvoluntary_ctxt_switches:");
    usage->threads++;
    return true;
}

static struct usage usage_of(uint64_t pid)
{
    char task_dir[64];
    struct usage usage = {0};
    snprintf(task_dir, sizeof task_dir, "/proc/%" PRIu64 "/task", pid);
    DIR *dir = opendir(task_dir);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            add_thread(task_dir, entry->d_name, &usage);
        }
    }
    if (dir == NULL || usage.threads == 0) {
        bench_die("no process %" PRIu64, pid);
    }
    closedir(dir);
    return usage;
}

static void print_memory(uint64_t pid)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/status", pid);
    if (read_file(path, text, sizeof text)) {
        bench_print("rss_kib", field(text, "VmRSS:"));
        bench_print("rss_anon_kib", field(text, "RssAnon:"));
        bench_print("peak_kib", field(text, "VmHWM:"));
    }
}

/* ---- the loops ---- */

static void sleep_until(struct timespec *deadline, long period_ms)
{
    deadline->tv_nsec += period_ms % 1000 * 1000000;
    deadline->tv_sec += period_ms / 1000 + deadline->tv_nsec / 1000000000;
    deadline->tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, deadline, NULL) == EINTR) {
    }
}

static void run_program(char **command)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int status = 0;
    int error = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0 || waitpid(child, &status, 0) != child || status != 0) {
        bench_die("%s: %s", command[0], error != 0 ? strerror(error) : "it failed");
    }
}

static double own_cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static void add_children(struct usage *usage)
{
    struct rusage children;
    getrusage(RUSAGE_CHILDREN, &children);
    usage->cpu_us += (double)children.ru_utime.tv_sec * 1e6 + (double)children.ru_utime.tv_usec;
    usage->cpu_us += (double)children.ru_stime.tv_sec * 1e6 + (double)children.ru_stime.tv_usec;
    usage->voluntary += (double)children.ru_nvcsw;
    usage->involuntary += (double)children.ru_nivcsw;
}

// Of this process and its children. Looking costs as much as dozens of samples: what is spent from
// here to the end of the first look, and from the beginning of the second, does not count.
static struct usage first_look(void)
{
    struct usage usage = usage_of((uint64_t)getpid());
    usage.cpu_us = own_cpu_us();
    add_children(&usage);
    return usage;
}

static struct usage last_look(void)
{
    double cpu_us = own_cpu_us();
    struct usage usage = usage_of((uint64_t)getpid());
    usage.cpu_us = cpu_us;
    add_children(&usage);
    return usage;
}

static int print_usage(const struct usage *before, const struct usage *after, double periods)
{
    bench_print("cpu_us_per_sample", (after->cpu_us - before->cpu_us) / periods);
    bench_print("voluntary_per_sample", (after->voluntary - before->voluntary) / periods);
    bench_print("involuntary_per_sample", (after->involuntary - before->involuntary) / periods);
    bench_print("threads", after->threads);
    return 0;
}

// The tracking question of chronyd's protocol, version 6; src/timesource/chrony_wire.c has it
// whole.
#define QUESTION_SIZE    104
#define QUESTION_VERSION 6
#define QUESTION_REQUEST 1
#define COMMAND_TRACKING 33

// Asks at the wake-up and hears the answer at the next: what any program must spend that asks.
static int ask(uint64_t period_ms, uint64_t count, uint64_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        bench_die("no socket to port %" PRIu64, port);
    }
    const uint8_t question[QUESTION_SIZE] = {QUESTION_VERSION, QUESTION_REQUEST, 0, 0, 0,
                                             COMMAND_TRACKING};
    uint8_t answer[512];
    uint64_t answers = 0;
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    struct usage before = first_look();
    for (uint64_t i = 0; i < count; i++) {
        sleep_until(&deadline, (long)period_ms);
        answers += recv(fd, answer, sizeof answer, 0) > 0;
        (void)!send(fd, question, sizeof question, 0);
    }
    struct usage after = last_look();
    close(fd);
    if (answers + 2 < count) {
        bench_die("only %" PRIu64 " of %" PRIu64 " questions were answered", answers, count);
    }
    return print_usage(&before, &after, (double)count);
}

// A period with COMMAND run in it, or only slept.
static int loop(uint64_t period_ms, uint64_t count, char **command)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    struct usage before = first_look();
    for (uint64_t i = 0; i < count; i++) {
        sleep_until(&deadline, (long)period_ms);
        if (command != NULL) {
            run_program(command);
        }
    }
    struct usage after = last_look();
    return print_usage(&before, &after, (double)count);
}

static int watch(uint64_t period_ms, uint64_t count, uint64_t pid)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    struct usage before = usage_of(pid);
    sleep_until(&deadline, (long)(period_ms * count));
    struct usage after = usage_of(pid);
    print_memory(pid);
    return print_usage(&before, &after, (double)count);
}

int mode_idle(int argc, char **argv)
{
    uint64_t period_ms = bench_parse("PERIOD_MS", argv[1]);
    uint64_t count = bench_parse("COUNT", argv[2]);
    if (strcmp(argv[0], "bare") == 0) {
        return loop(period_ms, count, NULL);
    }
    if (strcmp(argv[0], "ask") == 0 && argc > 3) {
        return ask(period_ms, count, bench_parse("PORT", argv[3]));
    }
    if (strcmp(argv[0], "spawn") == 0 && argc > 3) {
        return loop(period_ms, count, argv + 3);
    }
    if (strcmp(argv[0], "watch") == 0 && argc > 3) {
        return watch(period_ms, count, bench_parse("PID", argv[3]));
    }
    bench_die("idle: want bare, ask with a port, spawn with a program, or watch with a PID");
}
