#include "scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int scratch_make(char *path, size_t size)
{
    const char *base = getenv("TMPDIR");
    int written = snprintf(path, size, "%s/ntp_logger-test.XXXXXX", base != NULL ? base : "/tmp");
    if (written < 0 || (size_t)written >= size) {
        return -ENAMETOOLONG;
    }
    return mkdtemp(path) == NULL ? -errno : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void scratch_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
