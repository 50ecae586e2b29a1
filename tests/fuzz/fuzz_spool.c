/*
 * Any bytes as a .part that a crash left, and as a file's name in the spool.
 */
#include "fuzz.h"

#include "core/csv.h"
#include "spool_private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BOOT     0x1a2b3c4du
#define FILE_MAX (64 * 1024)

static void check_name(const uint8_t *data, size_t size)
{
    char text[SPOOL_NAME_MAX];
    char again[SPOOL_NAME_MAX];
    size = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    struct spool_name name = spool_name_parse(text);
    if (name.kind != SPOOL_STRANGER) {
        spool_name_format(again, &name);
        FUZZ_REQUIRE(strcmp(text, again) == 0);
    }
}

// A rescued file is a header and rows that rise, each of them with a key that may be kept.
static void check_rescued(int fd, const struct spool_keep *keep, const struct spool_rescue *rescue)
{
    static char text[FILE_MAX];
    size_t size = (size_t)rescue->size;
    FUZZ_REQUIRE(size <= sizeof text && pread(fd, text, size, 0) == (ssize_t)size);
    size_t header = strlen(csv_header);
    FUZZ_REQUIRE(size > header && memcmp(text, csv_header, header) == 0);
    uint64_t rows = 0;
    uint64_t last = 0;
    for (size_t at = header; at < size; rows++) {
        const char *lf = memchr(text + at, '\n', size - at);
        FUZZ_REQUIRE(lf != NULL);
        struct csv_key key;
        FUZZ_REQUIRE(csv_parse_key(text + at, (size_t)(lf - text) - at, &key) == 0);
        FUZZ_REQUIRE(key.boot_id == keep->boot_id && (rows == 0 || key.seq > last));
        FUZZ_REQUIRE(key.seq >= keep->from_seq && key.seq < keep->below_seq);
        last = key.seq;
        at = (size_t)(lf - text) + 1;
    }
    FUZZ_REQUIRE(rows == rescue->rows && last == rescue->last_seq);
}

static void rescue(const uint8_t *data, size_t size, const struct spool_keep *keep)
{
    int fd = memfd_create("part", MFD_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    struct spool_rescue first;
    struct spool_rescue look;
    struct spool_keep look_only = *keep;
    look_only.look_only = true;
    int looked = spool_rescue_rows(fd, size, &look_only, &look);
    int error = spool_rescue_rows(fd, size, keep, &first);
    FUZZ_REQUIRE(error == looked && (error == 0 || error == -EBADMSG));
    if (error == 0) {
        FUZZ_REQUIRE(first.rows == look.rows && first.last_seq == look.last_seq);
        FUZZ_REQUIRE(first.size + first.torn_bytes == size);
        if (first.rows > 0) {
            check_rescued(fd, keep, &first);
            struct spool_rescue again;
            FUZZ_REQUIRE(spool_rescue_rows(fd, first.size, keep, &again) == 0);
            FUZZ_REQUIRE(again.rows == first.rows && again.torn_bytes == 0);
        }
    }
    close(fd);
}

// What the uploader's legacy form makes of any line.
static void project(const uint8_t *data, size_t size)
{
    char out[CSV_ROW_MAX];
    char row[CSV_ROW_MAX];
    size = size < sizeof row - 1 ? size : sizeof row - 1;
    memcpy(row, data, size);
    int length = csv_project_legacy(out, row, size);
    FUZZ_REQUIRE(length == -EBADMSG || (length > 0 && out[length - 1] == '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FILE_MAX) {
        return 0;
    }
    check_name(data, size);
    project(data, size);
    rescue(data, size, &(struct spool_keep){BOOT, 1, UINT64_MAX, .look_only = false});
    rescue(data, size, &(struct spool_keep){BOOT, 2, 4, .look_only = false});
    return 0;
}
