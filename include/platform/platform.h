/*
 * What we ask of the machine we run on. Exactly one body is linked: platform_posix.c for a desktop
 * or CI, platform_acap.c for a camera. Main thread only.
 */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/* Directory of the program itself, with config.json as packaged. 0 or -errno (-ENAMETOOLONG). */
int platform_package_dir(char *out, size_t size);

/* Directory that we may write and that survives an upgrade (`localdata`). 0 or -errno. */
int platform_local_dir(char *out, size_t size);

/* The first 8 hex digits of the kernel's boot id, as a number. 0 or -errno. */
int platform_boot_id(uint32_t *boot_id);

/*
 * Settings the device itself keeps (a camera's parameters): calls VISIT with each setting's name
 * and value that is set there. A visitor that returns non-zero ends the walk and its value is
 * returned. 0 where the device keeps none.
 */
int platform_each_parameter(int (*visit)(void *ctx, const char *key, const char *value), void *ctx);

#endif
