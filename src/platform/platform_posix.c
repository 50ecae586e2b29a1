#include "platform/platform.h"

#include "platform_common.h"

int platform_package_dir(char *out, size_t size)
{
    return platform_beside_program(out, size, "");
}

int platform_local_dir(char *out, size_t size)
{
    return platform_beside_program(out, size, "/localdata");
}

int platform_each_parameter(int (*visit)(void *ctx, const char *key, const char *value), void *ctx)
{
    (void)visit;
    (void)ctx;
    return 0; // a desktop keeps none: the files, the environment and the command line are all
}
