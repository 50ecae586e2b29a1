// Placeholder so that the layer links before its first module lands.
typedef int ntpl_platform_empty;
