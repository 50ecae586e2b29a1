/*
 * Runs a fuzz target over files and over random changes of them, for compilers without libFuzzer.
 * usage: fuzz_NAME [--seed N] [--changes N] FILE...
 */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#define SIZE_MAX_BYTES 4096

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// Into a block of exactly its size, so that a sanitizer sees a read beyond the end.
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) {
        abort();
    }
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static size_t change(uint8_t *data, size_t size)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '\n', ':', '-'};
    size_t count = 1 + random_bits() % 8;
    for (size_t i = 0; i < count && size > 0; i++) {
        size_t at = (size_t)(random_bits() % size);
        switch (random_bits() % 4) {
        case 0:
            data[at] ^= (uint8_t)(1u << random_bits() % 8);
            break;
        case 1:
            data[at] = edges[random_bits() % sizeof edges];
            break;
        case 2:
            data[at] = (uint8_t)random_bits();
            break;
        default:
            size = random_bits() % 8 == 0 ? at : size;
        }
    }
    return size;
}

static void replay(const char *path, unsigned changes)
{
    uint8_t seed[SIZE_MAX_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t size = fread(seed, 1, sizeof seed, file);
    fclose(file);
    run(seed, size);
    for (unsigned i = 0; i < changes; i++) {
        uint8_t changed[SIZE_MAX_BYTES];
        memcpy(changed, seed, size);
        run(changed, change(changed, size));
    }
}

int main(int argc, char **argv)
{
    unsigned changes = 2000;
    int files = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            state = strtoull(argv[++i], NULL, 0) | 1;
        } else if (strcmp(argv[i], "--changes") == 0 && i + 1 < argc) {
            changes = (unsigned)strtoul(argv[++i], NULL, 0);
        } else {
            if (files++ == 0) {
                printf("seed 0x%" PRIx64 "\n", state);
            }
            replay(argv[i], changes);
        }
    }
    printf("%d files, each with %u changes\n", files, changes);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
