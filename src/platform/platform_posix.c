#include "platform/platform.h"

int platform_each_parameter(int (*visit)(void *ctx, const char *key, const char *value), void *ctx)
{
    (void)visit;
    (void)ctx;
    return 0; // a desktop keeps none: the files, the environment and the command line are all
}
