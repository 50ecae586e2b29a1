/* A folder of a test's own, removed with everything in it. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

#define SCRATCH_PATH_MAX 256

/* Makes a folder below TMPDIR (or /tmp) and writes its path. 0 or -errno. */
int scratch_make(char *path, size_t size);
void scratch_remove(const char *path);

#endif
