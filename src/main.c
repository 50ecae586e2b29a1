#include "app/app.h"
#include "app/config_load.h"
#include "app/inputs.h"
#include "app/options.h"
#include "app/probe.h"
#include "base/log.h"
#include "build_config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

extern char **environ;

// Secrets are in memory: no core file, no rights we do not need, no file that others can read.
static void harden_process(void)
{
    umask(077);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// Most of a large buffer is never used: mapped by itself, only what is touched takes memory, and it
// goes back to the system when it is freed.
static void map_large_buffers(void)
{
    mallopt(M_MMAP_THRESHOLD, 32 * 1024);
}

static int act(const struct options *options, const struct config *config,
               const struct config_inputs *inputs)
{
    switch (options->action) {
    case ACTION_CHECK_CONFIG:
        puts("settings are good");
        return EXIT_SUCCESS;
    case ACTION_PRINT_CONFIG:
        config_print(config, stdout);
        return EXIT_SUCCESS;
    case ACTION_PROBE:
        return probe_run(config, options->json);
    default:
        return app_run(config, inputs, options->duration_s);
    }
}

static int load_and_act(const struct options *options)
{
    static struct config config;
    static struct config_inputs inputs; // and what it points to: for as long as the process lives
    struct config_error error;
    if (inputs_take(&inputs, options, environ) != 0) {
        fputs("ntp_logger: error: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    if (config_load(&config, &inputs, &error) != 0) {
        log_open("ntp_logger", LOG_LEVEL_INFO, options->action == ACTION_RUN);
        log_error("%s", error.text);
        return EXIT_USAGE;
    }
    log_open("ntp_logger", (enum log_level)config.log_level, options->action == ACTION_RUN);
    return act(options, &config, &inputs);
}

int main(int argc, char **argv)
{
    struct options options;
    harden_process();
    map_large_buffers();
    if (options_parse(&options, argc, argv) != 0) {
        return EXIT_USAGE;
    }
    switch (options.action) {
    case ACTION_HELP:
        options_print_help(stdout);
        return EXIT_SUCCESS;
    case ACTION_VERSION:
        puts("ntp_logger " NTP_LOGGER_VERSION);
        return EXIT_SUCCESS;
    case ACTION_PRINT_SETTINGS:
        config_print_markdown(stdout);
        return EXIT_SUCCESS;
    default:
        return load_and_act(&options);
    }
}
