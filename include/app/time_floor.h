/*
 * The latest time known to have passed, kept over restarts: a camera that wakes in 1970 can then
 * tell a valid certificate from an expired one (upload/tls_time.h).
 *
 * It only ever rises, and only from a synchronised clock. The file beside the spool holds it as a
 * decimal number of seconds since the epoch and is written at most once a day. A time far beyond
 * the build is not believed: one evening with a false server must not keep all uploads away for
 * ever. One thread at a time.
 */
#ifndef APP_TIME_FLOOR_H
#define APP_TIME_FLOOR_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct time_floor {
    char path[PATH_MAX];
    int64_t build_s;
    int64_t floor_s; /* the answer: build time or later */
    int64_t saved_s; /* what the file says; 0 = nothing believable */
};

/* Reads last_good_time beside SPOOL_DIR. A missing or damaged file leaves the build time. */
void time_floor_open(struct time_floor *floor, const char *spool_dir, int64_t build_s);

/*
 * The synchronised clock shows NOW_S. 0, or -errno when the file could not be written: then the
 * next call tries again.
 */
int time_floor_raise(struct time_floor *floor, int64_t now_s);

#endif
