#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_ID_PATH   "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_DIGITS 8

// The directory of the program plus SUFFIX.
static int beside_program(char *out, size_t size, const char *suffix)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) {
        return -errno;
    }
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) {
        return -ENOENT;
    }
    *slash = '\0';
    int written = snprintf(out, size, "%s%s", program, suffix);
    return written < 0 || (size_t)written >= size ? -ENAMETOOLONG : 0;
}

int platform_package_dir(char *out, size_t size)
{
    return beside_program(out, size, "");
}

int platform_local_dir(char *out, size_t size)
{
    return beside_program(out, size, "/localdata");
}

int platform_boot_id(uint32_t *boot_id)
{
    int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    char digits[BOOT_ID_DIGITS + 1] = {0};
    ssize_t got = read(fd, digits, BOOT_ID_DIGITS);
    close(fd);
    char *end = digits;
    unsigned long value = strtoul(digits, &end, 16);
    if (got != BOOT_ID_DIGITS || end != digits + BOOT_ID_DIGITS) {
        return -EBADMSG;
    }
    *boot_id = (uint32_t)value;
    return 0;
}
