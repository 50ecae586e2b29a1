#include "upload/gzip.h"

#include "upload/body.h"
#include "upload/digest.h"

#include <zlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RAW_BYTES    1000003
#define PACKED_BYTES 1100000

static char raw[RAW_BYTES];
static char packed[PACKED_BYTES];
static char again[PACKED_BYTES];
static char unpacked[RAW_BYTES + 1];

static int make_rows(void **state)
{
    (void)state;
    size_t used = 0;
    for (unsigned i = 0; used < sizeof raw; i++) {
        char row[128];
        int length = snprintf(row, sizeof row, "1000000,1000%03u,179536%07u,-0.0000%05u,Normal\n",
                              i * 7 % 1000, i, i * 7919 % 100000);
        for (int j = 0; j < length && used < sizeof raw; j++) {
            raw[used++] = row[j];
        }
    }
    return 0;
}

static size_t read_all(struct stream *stream, char *out, size_t room)
{
    size_t used = 0;
    ssize_t got;
    while ((got = stream_read(stream, out + used,
                              room < PACKED_BYTES - used ? room : PACKED_BYTES - used)) > 0) {
        used += (size_t)got;
    }
    assert_int_equal(got, 0);
    return used;
}

static size_t unpack(char *from, size_t size)
{
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (Bytef *)from;
    z.avail_in = (uInt)size;
    z.next_out = (Bytef *)unpacked;
    z.avail_out = sizeof unpacked;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0); // nothing behind the end
    size_t length = z.total_out;
    inflateEnd(&z);
    return length;
}

static void what_is_packed_unpacks_to_the_same(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 8191, 8192, 8193, RAW_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct body body;
        struct gzip *gzip;
        body_init(&body, -1, raw, sizes[i]);
        assert_int_equal(gzip_open(&gzip, &body.stream), 0);
        size_t size = read_all(gzip_stream(gzip), packed, 16384);
        assert_int_equal(unpack(packed, size), sizes[i]);
        assert_memory_equal(unpacked, raw, sizes[i]);
        assert_true(sizes[i] < 8191 || size < sizes[i] / 2);
        gzip_close(gzip);
    }
}

static void each_pass_gives_the_same_bytes_whatever_the_pieces(void **state)
{
    (void)state;
    static const size_t rooms[] = {1, 7, 1000, 8192, 65536};
    struct body body;
    struct gzip *gzip;
    struct digest digest;
    body_init(&body, -1, raw, 100000);
    assert_int_equal(gzip_open(&gzip, &body.stream), 0);
    assert_int_equal(digest_stream(&digest, gzip_stream(gzip)), 0);
    gzip_measured(gzip, digest.size);
    size_t size = read_all(gzip_stream(gzip), packed, 4096);
    assert_int_equal(size, digest.size);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        assert_true(stream_restart(gzip_stream(gzip)));
        assert_int_equal(read_all(gzip_stream(gzip), again, rooms[i]), size);
        assert_memory_equal(again, packed, size);
    }
    gzip_close(gzip);
}

static void a_pass_begun_can_be_begun_again(void **state)
{
    (void)state;
    struct body body;
    struct gzip *gzip;
    body_init(&body, -1, raw, RAW_BYTES);
    assert_int_equal(gzip_open(&gzip, &body.stream), 0);
    assert_true(stream_read(gzip_stream(gzip), packed, 4096) > 0);
    assert_true(stream_restart(gzip_stream(gzip)));
    size_t size = read_all(gzip_stream(gzip), packed, 8192);
    assert_int_equal(unpack(packed, size), RAW_BYTES);
    gzip_close(gzip);
}

static void a_file_that_fails_fails_the_packed_stream(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), raw, 20000), 20000);
    struct body body;
    struct gzip *gzip;
    struct digest digest;
    body_init(&body, fileno(file), NULL, 30000);
    assert_int_equal(gzip_open(&gzip, &body.stream), 0);
    assert_true(digest_stream(&digest, gzip_stream(gzip)) < 0);
    assert_true(gzip_stream(gzip)->failed);
    gzip_close(gzip);
    fclose(file);
}

static void a_file_that_changes_between_the_passes_fails(void **state)
{
    (void)state;
    static const struct {
        uint64_t measured_more;
        uint64_t measured_less;
    } wrong[] = {{1, 0}, {0, 1}};
    for (size_t i = 0; i < 2; i++) {
        struct body body;
        struct gzip *gzip;
        struct digest digest;
        body_init(&body, -1, raw, 50000);
        assert_int_equal(gzip_open(&gzip, &body.stream), 0);
        assert_int_equal(digest_stream(&digest, gzip_stream(gzip)), 0);
        gzip_measured(gzip, digest.size + wrong[i].measured_more - wrong[i].measured_less);
        ssize_t got;
        do {
            got = stream_read(gzip_stream(gzip), packed, 4096);
        } while (got > 0);
        assert_int_equal(got, -1);
        assert_true(gzip_stream(gzip)->failed);
        gzip_close(gzip);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_unpacks_to_the_same),
        cmocka_unit_test(each_pass_gives_the_same_bytes_whatever_the_pieces),
        cmocka_unit_test(a_pass_begun_can_be_begun_again),
        cmocka_unit_test(a_file_that_fails_fails_the_packed_stream),
        cmocka_unit_test(a_file_that_changes_between_the_passes_fails),
    };
    return cmocka_run_group_tests_name("gzip", tests, make_rows, NULL);
}
