/* What both platforms answer alike: Linux questions. Private to this layer. */
#ifndef PLATFORM_COMMON_H
#define PLATFORM_COMMON_H

#include <stddef.h>

/* The directory of /proc/self/exe plus SUFFIX. 0 or -errno. */
int platform_beside_program(char *out, size_t size, const char *suffix);

#endif
