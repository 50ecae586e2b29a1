#include "app/time_floor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_S       INT64_C(86400)
#define CREDIBLE_S  (INT64_C(10) * 365 * DAY_S)
#define FILE_NAME   "last_good_time"
#define TEXT_MAX    24
#define PUBLIC_READ 0644

static bool is_credible(const struct time_floor *floor, int64_t time_s)
{
    return time_s > floor->build_s && time_s - floor->build_s < CREDIBLE_S;
}

static int64_t read_number(const char *path)
{
    char text[TEXT_MAX] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return 0;
    }
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    char *end = NULL;
    int64_t number = got > 0 ? strtoll(text, &end, 10) : 0;
    return end != NULL && *end == '\n' ? number : 0; // cut short: not believed
}

void time_floor_open(struct time_floor *floor, const char *spool_dir, int64_t build_s)
{
    *floor = (struct time_floor){.build_s = build_s, .floor_s = build_s};
    size_t len = strlen(spool_dir);
    while (len > 1 && spool_dir[len - 1] == '/') {
        len--;
    }
    while (len > 0 && spool_dir[len - 1] != '/') {
        len--;
    }
    int used = snprintf(floor->path, sizeof floor->path, "%.*s%s", (int)len, spool_dir, FILE_NAME);
    if (used >= (int)sizeof floor->path) {
        floor->path[0] = '\0'; // opening and writing will then say ENOENT
    }
    int64_t saved_s = read_number(floor->path);
    if (is_credible(floor, saved_s)) {
        floor->saved_s = saved_s;
        floor->floor_s = saved_s;
    }
}

static int write_all(int fd, const char *text)
{
    size_t len = strlen(text);
    ssize_t done = write(fd, text, len);
    if (done < 0) {
        return -errno;
    }
    if ((size_t)done < len) {
        return -ENOSPC;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

static int save(const struct time_floor *floor, int64_t time_s)
{
    char text[TEXT_MAX];
    char fresh[PATH_MAX + 8];
    snprintf(text, sizeof text, "%" PRId64 "\n", time_s);
    snprintf(fresh, sizeof fresh, "%s.new", floor->path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, PUBLIC_READ);
    if (fd < 0) {
        return -errno;
    }
    int result = write_all(fd, text);
    if (close(fd) != 0 && result == 0) {
        result = -errno;
    }
    if (result == 0 && rename(fresh, floor->path) != 0) {
        result = -errno;
    }
    if (result != 0) {
        unlink(fresh);
    }
    return result;
}

int time_floor_raise(struct time_floor *floor, int64_t now_s)
{
    if (!is_credible(floor, now_s)) {
        return 0;
    }
    if (floor->floor_s < now_s) {
        floor->floor_s = now_s;
    }
    if (floor->path[0] == '\0' || now_s - floor->saved_s < DAY_S) {
        return 0;
    }
    int result = save(floor, now_s);
    if (result == 0) {
        floor->saved_s = now_s;
    }
    return result;
}
