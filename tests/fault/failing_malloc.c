/*
 * LD_PRELOAD: the allocation number MALLOC_FAIL_AT of the process, over all its threads, fails with
 * ENOMEM; with MALLOC_FAIL_EVER=1 all later ones, too. How many there were goes to the file
 * MALLOC_COUNT_TO when the process ends by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// glibc's own entry points: finding the real ones with dlsym would allocate.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_uint_fast64_t allocations;
static uint64_t fail_at;
static bool fail_ever;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("MALLOC_FAIL_AT");
    fail_at = at != NULL ? strtoull(at, NULL, 10) : 0;
    fail_ever = getenv("MALLOC_FAIL_EVER") != NULL;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("MALLOC_COUNT_TO");
    int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        dprintf(fd, "%llu\n", (unsigned long long)atomic_load(&allocations));
        close(fd);
    }
}

static bool fails(void)
{
    uint64_t number = atomic_fetch_add(&allocations, 1) + 1;
    bool now = fail_at != 0 && (number == fail_at || (fail_ever && number > fail_at));
    if (now) {
        errno = ENOMEM;
    }
    return now;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);
    if (memory == NULL) {
        return ENOMEM;
    }
    *out = memory;
    return 0;
}
