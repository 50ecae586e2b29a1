#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#define WRITERS 4
#define LINES   500

static char syslog_line[2048];
static int syslog_priority;
static int syslog_calls;

// A hardened build calls the second name.
void __wrap_syslog(int priority, const char *format, ...);
void __wrap___syslog_chk(int priority, int flag, const char *format, ...);
void __wrap_openlog(const char *name, int options, int facility);

static void keep_syslog_line(int priority, const char *format, va_list args)
{
    vsnprintf(syslog_line, sizeof syslog_line, format, args);
    syslog_priority = priority;
    syslog_calls++;
    errno = ENOTCONN; // as when nobody listens on /dev/log
}

void __wrap_syslog(int priority, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep_syslog_line(priority, format, args);
    va_end(args);
}

void __wrap___syslog_chk(int priority, int flag, const char *format, ...)
{
    (void)flag;
    va_list args;
    va_start(args, format);
    keep_syslog_line(priority, format, args);
    va_end(args);
}

void __wrap_openlog(const char *name, int options, int facility)
{
    (void)name;
    (void)options;
    (void)facility;
}

struct capture {
    FILE *file;
    int saved_stderr;
    char text[WRITERS * LINES * 64];
};

static struct capture capture;

static int set_up(void **state)
{
    *state = NULL;
    syslog_calls = 0;
    capture.file = tmpfile();
    fflush(stderr);
    capture.saved_stderr = dup(STDERR_FILENO);
    return capture.file == NULL || dup2(fileno(capture.file), STDERR_FILENO) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    fflush(stderr);
    dup2(capture.saved_stderr, STDERR_FILENO);
    close(capture.saved_stderr);
    fclose(capture.file);
    log_open("ntp_logger", LOG_LEVEL_INFO, false);
    return 0;
}

static const char *captured(void)
{
    rewind(capture.file);
    size_t length = fread(capture.text, 1, sizeof capture.text - 1, capture.file);
    capture.text[length] = '\0';
    return capture.text;
}

static void a_line_names_program_and_level(void **state)
{
    (void)state;
    log_open("prog", LOG_LEVEL_DEBUG, false);
    log_error("disk %d", 7);
    log_warning("w");
    log_info("i");
    log_debug("d");
    assert_string_equal(captured(), "prog: error: disk 7\nprog: warning: w\n"
                                    "prog: info: i\nprog: debug: d\n");
    assert_int_equal(syslog_calls, 0);
}

static void lines_below_the_level_are_left_out(void **state)
{
    (void)state;
    log_open("prog", LOG_LEVEL_WARNING, false);
    log_info("no");
    log_warning("yes");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("no more");
    assert_string_equal(captured(), "prog: warning: yes\n");
}

static void syslog_gets_the_text_with_its_priority_and_no_format(void **state)
{
    (void)state;
    log_open("prog", LOG_LEVEL_INFO, true);
    log_warning("%s", "100 %s %n full");
    assert_int_equal(syslog_calls, 1);
    assert_int_equal(syslog_priority, LOG_WARNING);
    assert_string_equal(syslog_line, "100 %s %n full");
}

static void errno_is_left_as_it_was(void **state)
{
    (void)state;
    log_open("prog", LOG_LEVEL_INFO, true);
    errno = EROFS;
    log_error("x");
    assert_int_equal(errno, EROFS);
    log_debug("x");
    assert_int_equal(errno, EROFS);
}

static void a_line_too_long_is_cut_not_split(void **state)
{
    (void)state;
    static char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    log_open("prog", LOG_LEVEL_INFO, false);
    log_info("%s", longest);
    log_info("next");
    const char *text = captured();
    const char *first_end = strchr(text, '\n');
    assert_non_null(first_end);
    assert_in_range(first_end - text, 500, 1100);
    assert_string_equal(first_end + 1, "prog: info: next\n");
}

static void a_change_is_told_once(void **state)
{
    (void)state;
    int last = 0;
    assert_false(log_changed(&last, 0));
    assert_true(log_changed(&last, -5));
    assert_false(log_changed(&last, -5));
    assert_true(log_changed(&last, 0));
    assert_int_equal(last, 0);
}

static void *write_lines(void *argument)
{
    for (int i = 0; i < LINES; i++) {
        log_info("%c%c%c%c%c%c%c%c", *(char *)argument, *(char *)argument, *(char *)argument,
                 *(char *)argument, *(char *)argument, *(char *)argument, *(char *)argument,
                 *(char *)argument);
    }
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    static char names[WRITERS] = {'a', 'b', 'c', 'd'};
    pthread_t threads[WRITERS];
    int started = 0;
    log_open("p", LOG_LEVEL_INFO, false);
    while (started < WRITERS &&
           pthread_create(&threads[started], NULL, write_lines, &names[started]) == 0) {
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(started, WRITERS);
    const char prefix[] = "p: info: ";
    const char *line = captured();
    int lines = 0;
    for (; *line != '\0'; lines++, line = strchr(line, '\n') + 1) {
        assert_memory_equal(line, prefix, sizeof prefix - 1);
        const char *body = line + sizeof prefix - 1;
        assert_int_equal(strspn(body, (char[]){body[0], '\0'}), 8);
        assert_int_equal(body[8], '\n');
    }
    assert_int_equal(lines, WRITERS * LINES);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_line_names_program_and_level),
        LOG_TEST(lines_below_the_level_are_left_out),
        LOG_TEST(syslog_gets_the_text_with_its_priority_and_no_format),
        LOG_TEST(errno_is_left_as_it_was),
        LOG_TEST(a_line_too_long_is_cut_not_split),
        LOG_TEST(a_change_is_told_once),
        LOG_TEST(lines_of_several_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
