/*
 * System calls that fail when told to, put before libc by the linker's --wrap (FAULT_SYMBOLS in
 * CMakeLists.txt). Nothing armed: everything is real.
 */
#ifndef TESTS_FAULT_CALLS_H
#define TESTS_FAULT_CALLS_H

#include <stdbool.h>

enum fault_call {
    CALL_OPEN,
    CALL_OPENAT,
    CALL_WRITEV,
    CALL_PREAD,
    CALL_PWRITE,
    CALL_FTRUNCATE,
    CALL_FDATASYNC,
    CALL_FSYNC,
    CALL_RENAMEAT2,
    CALL_RENAMEAT,
    CALL_UNLINKAT,
    CALL_MKDIR,
    CALL_MKDIRAT,
    CALL_FLOCK,
    CALL_GETDENTS,
    CALL_FSTAT,
    CALL_FSTATAT,
    CALL_FSTATVFS,
    CALL_DUP3,
    CALL_MMAP,       /* of a file */
    CALL_MMAP_PLAIN, /* anonymous */
    CALL_FSTATFS,
    CALL_LSTAT,
    CALL_COUNT,
};

extern const char *const fault_call_names[CALL_COUNT];

/* Nothing fails any more; the counts start at 0. */
void fault_reset(void);
/* The NTH call from now (1 = the next) fails with ERROR, and all later ones too when FOREVER. */
void fault_arm(enum fault_call call, unsigned nth, int error, bool forever);
/* Before the next openat or fsync, ACT happens once: what another does or sees at that moment. */
void fault_before(enum fault_call call, void (*act)(void *ctx), void *ctx);
/* writev writes at most BYTES in all from now on, then fails with ENOSPC. */
void fault_fill_disk_after(unsigned bytes);
/* The same, but that one failure makes room again. */
void fault_fill_disk_once_after(unsigned bytes);
/* What fstatvfs says is free. */
void fault_free_bytes(unsigned long long bytes);
/* What fstatfs says the file system is: a magic number of <linux/magic.h>. */
void fault_file_system(unsigned type);
/* Calls since fault_reset; and how many of them were made to fail. */
unsigned fault_count(enum fault_call call);
unsigned fault_fired(void);

#endif
