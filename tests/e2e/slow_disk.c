/*
 * LD_PRELOAD: while the file SLOW_DISK_ORDER exists, the next fdatasync takes as many milliseconds
 * as it says, and the file is gone afterwards. A disk that stands still, to order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void stand_still(const char *order)
{
    long ms = 0;
    FILE *file = fopen(order, "r");
    if (file == NULL) {
        return;
    }
    int numbers = fscanf(file, "%ld", &ms);
    fclose(file);
    if (numbers == 1) {
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
        unlink(order);
    }
}

int fdatasync(int fd)
{
    const char *order = getenv("SLOW_DISK_ORDER");
    if (order != NULL) {
        stand_still(order);
    }
    return (int)syscall(SYS_fdatasync, fd);
}
