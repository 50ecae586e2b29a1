/*
 * LD_PRELOAD: what a program tells syslog goes to the file SYSLOG_FILE, a line each, so that a test
 * can read it on a machine with or without a log daemon.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static void note(const char *format, va_list args)
{
    char line[4096];
    const char *path = getenv("SYSLOG_FILE");
    int length = vsnprintf(line, sizeof line - 1, format, args);
    int fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || length < 0) {
        return;
    }
    size_t size = strlen(line);
    line[size] = '\n';
    if (write(fd, line, size + 1) < 0) {
        perror(path);
    }
    close(fd);
}

void syslog(int priority, const char *format, ...)
{
    (void)priority;
    va_list args;
    va_start(args, format);
    note(format, args);
    va_end(args);
}

// What syslog becomes in a program built with FORTIFY.
void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    (void)priority;
    (void)flag;
    va_list args;
    va_start(args, format);
    note(format, args);
    va_end(args);
}
