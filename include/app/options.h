/*
 * The command line.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_SET_MAX 64

enum options_action {
    ACTION_RUN,
    ACTION_CHECK_CONFIG,
    ACTION_PRINT_CONFIG,
    ACTION_PRINT_SETTINGS, /* the README's table; for the project's own checks */
    ACTION_PROBE,
    ACTION_VERSION,
    ACTION_HELP,
};

struct options {
    enum options_action action;
    const char *config_file;                /* NULL: the package's and localdata's */
    char *assignments[OPTIONS_SET_MAX + 1]; /* NULL behind the last */
    size_t assignment_count;
    uint32_t duration_s; /* 0: until told to stop */
    int json;            /* --probe as JSON */
};

/* 0, or -EINVAL after a line on stderr that says what is wrong. Strings stay argv's. */
int options_parse(struct options *options, int argc, char **argv);

void options_print_help(FILE *out);

#endif
