/*
 * Reads a file of tests/data; TEST_DATA_DIR comes from CMake.
 */
#ifndef TEST_DATA_H
#define TEST_DATA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Reads NAME (relative to tests/data) into BUFFER; returns its length. Fails the test otherwise. */
static inline size_t test_data_read(const char *name, void *buffer, size_t cap)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_DATA_DIR, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
        return 0;
    }
    size_t length = fread(buffer, 1, cap, file);
    fclose(file);
    assert_in_range(length, 1, cap - 1);
    return length;
}

#endif
