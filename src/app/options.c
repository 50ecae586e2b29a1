#include "app/options.h"

#include "app/config_load.h"
#include "redact.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_S 31536000

enum { OPT_CONFIG = 256, OPT_SET, OPT_DURATION, OPT_JSON, OPT_ACTION };

static const struct option table[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"set", required_argument, NULL, OPT_SET},
    {"duration", required_argument, NULL, OPT_DURATION},
    {"json", no_argument, NULL, OPT_JSON},
    {"check-config", no_argument, NULL, OPT_ACTION + ACTION_CHECK_CONFIG},
    {"print-config", no_argument, NULL, OPT_ACTION + ACTION_PRINT_CONFIG},
    {"print-settings", no_argument, NULL, OPT_ACTION + ACTION_PRINT_SETTINGS},
    {"probe", no_argument, NULL, OPT_ACTION + ACTION_PROBE},
    {"version", no_argument, NULL, OPT_ACTION + ACTION_VERSION},
    {"help", no_argument, NULL, OPT_ACTION + ACTION_HELP},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: ntp_logger [OPTION]...\n"
    "Logs each second how wrong this machine's clock is against NTP and every adjustment,\n"
    "keeps the rows on disk and uploads them to S3 through presigned URLs.\n"
    "\n"
    "  --config FILE      read settings from FILE (JSON) instead of config.json beside the\n"
    "                     program and in localdata/\n"
    "  --set KEY=VALUE    override one setting; may be repeated. Secrets belong in a file:\n"
    "                     others can see a command line until the program has read it\n"
    "  --duration S       stop by itself after S seconds\n"
    "  --check-config     check the settings and exit: 0 good, 2 not\n"
    "  --print-config     show every setting, its value and where it came from\n"
    "  --print-settings   show the table of settings as Markdown\n"
    "  --probe            tell in words how the clock is now; exit 0 when synchronised, 1 when\n"
    "                     not, 2 when nothing answered\n"
    "  --json             with --probe: as JSON\n"
    "  --version          show the version\n"
    "  --help             show this text\n"
    "\n"
    "Runs in the foreground. SIGTERM or SIGINT: everything to disk, exit 0 within 3 seconds.\n"
    "SIGHUP, or a changed file: the settings are read again.\n"
    "Exit codes: 0 stopped in order, 1 could not start or could not save, 2 wrong usage or\n"
    "settings.\n"
    "\n"
    "Settings, lowest to highest: default, config.json, localdata/config.json, the device's\n"
    "parameters, environment NTP_LOGGER_<NAME>, --set. What came by the last two is blanked in "
    "the\n"
    "process's own command line and environment at once.\n"
    "\n";

void options_print_help(FILE *out)
{
    fputs(help, out);
    config_print_help(out);
}

static int parse_duration(const char *text, uint32_t *duration_s)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > YEAR_S) {
        char shown[REDACT_MAX];
        redact(shown, text);
        fprintf(stderr, "ntp_logger: --duration is '%s': want a whole number of seconds 1..%d\n",
                shown, YEAR_S);
        return -EINVAL;
    }
    *duration_s = (uint32_t)value;
    return 0;
}

static int take_option(struct options *options, int option)
{
    switch (option) {
    case OPT_CONFIG:
        options->config_file = optarg;
        return 0;
    case OPT_SET:
        if (options->assignment_count == OPTIONS_SET_MAX) {
            fprintf(stderr, "ntp_logger: more than %d --set\n", OPTIONS_SET_MAX);
            return -EINVAL;
        }
        options->assignments[options->assignment_count++] = optarg;
        return 0;
    case OPT_DURATION:
        return parse_duration(optarg, &options->duration_s);
    case OPT_JSON:
        options->json = 1;
        return 0;
    default:
        options->action = (enum options_action)(option - OPT_ACTION);
        return 0;
    }
}

// In our own words: getopt's would repeat the whole argument, and what was mistyped may be a URL.
static int refuse_option(int problem, const char *word)
{
    const char *why = problem == ':'         ? "wants a value"
                      : optopt >= OPT_CONFIG ? "takes no value"
                                             : "is unknown";
    size_t length = strcspn(word, "=:");
    fprintf(stderr, "ntp_logger: option '%.*s' %s\n", length < 40 ? (int)length : 40, word, why);
    return -EINVAL;
}

static int parse_options(struct options *options, int argc, char **argv)
{
    opterr = 0;
    optind = 1;
    for (;;) {
        int at = optind;
        int option = getopt_long(argc, argv, "+:", table, NULL);
        if (option == -1) {
            return 0;
        }
        int error = option == '?' || option == ':' ? refuse_option(option, argv[at])
                                                   : take_option(options, option);
        if (error != 0) {
            return error;
        }
    }
}

int options_parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.action = ACTION_RUN};
    int error = parse_options(options, argc, argv);
    if (error == 0 && optind < argc) {
        char shown[REDACT_MAX];
        redact(shown, argv[optind]);
        fprintf(stderr, "ntp_logger: unexpected argument '%s'\n", shown);
        error = -EINVAL;
    }
    if (error != 0) {
        fputs("Try 'ntp_logger --help'.\n", stderr);
    }
    return error;
}
