#include "modes.h"

#include "bench.h"

#include <stdio.h>
#include <string.h>

static const struct mode {
    const char *name;
    int (*run)(int argc, char **argv); /* without the mode's own name */
    int args_min;
    const char *help;
} modes[] = {
    {"ring", mode_ring, 4,
     "BYTES CAPACITY thr|rtt COUNT [BACKOFF]   our ring: M messages/s, or ns"},
    {"format", mode_format, 2, "[reference_]five|row COUNT [FILE]   our formatter: M rows/s"},
    {"log", mode_log, 4, "five|row thr|lat COUNT DIR   ring to spool: M rows/s, or ns per call"},
    {"clock", mode_clock, 2, "warm|cold COUNT   our clock brackets: ns"},
    {"idle", mode_idle, 3,
     "bare|ask|spawn|watch PERIOD_MS COUNT [PORT|PROGRAM...|PID]   CPU, switches, RSS"},
    {"upload", mode_upload, 3, "put|sendfile FILE URL [CA]   MB/s and peak memory"},
    {"sink", mode_sink, 0, "[CERTIFICATE KEY]   a server for it; says its port"},
    {"probe", mode_probe, 0, "the machine now: line ping-pong, empty call: ns"},
};

#define MODE_COUNT (sizeof modes / sizeof modes[0])

static void print_help(FILE *out)
{
    fputs("usage: ntp_bench MODE ARGUMENTS...\n\n"
          "Measures one thing once and prints lines of \"key value\". tools/bench.sh runs it in\n"
          "rounds beside its peers.\n\n",
          out);
    for (size_t i = 0; i < MODE_COUNT; i++) {
        fprintf(out, "  %-8s %s\n", modes[i].name, modes[i].help);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < MODE_COUNT; i++) {
        if (strcmp(argv[1], modes[i].name) == 0 && argc - 2 >= modes[i].args_min) {
            return modes[i].run(argc - 2, argv + 2);
        }
    }
    print_help(stderr);
    return 2;
}
