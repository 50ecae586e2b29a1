#include "upload/digest.h"

#include "upload/body.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int digest_memory(struct digest *digest, const char *data, size_t size)
{
    struct body body;
    body_init(&body, -1, data, size);
    return digest_stream(digest, &body.stream);
}

static int digest_file(struct digest *digest, int fd, uint64_t size)
{
    struct body body;
    body_init(&body, fd, NULL, size);
    return digest_stream(digest, &body.stream);
}

/* RFC 1321, appendix A.5 */
static void the_vectors_of_the_standard_hold(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hex;
        const char *base64;
    } vectors[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e", "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {"abc", "900150983cd24fb0d6963f7d28e17f72", "kAFQmDzST7DWlj99KOF/cg=="},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0", "+WtpfXy3k41SWi8xqvFh0A=="},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct digest digest;
        assert_int_equal(digest_memory(&digest, vectors[i].text, strlen(vectors[i].text)), 0);
        assert_string_equal(digest.hex, vectors[i].hex);
        assert_string_equal(digest.base64, vectors[i].base64);
        assert_int_equal(digest.size, strlen(vectors[i].text));
    }
}

static void a_file_gives_what_its_bytes_give_and_keeps_its_position(void **state)
{
    (void)state;
    static char data[100001];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (char)(i * 31 + i / 8192);
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    int fd = fileno(file);
    assert_int_equal(write(fd, data, sizeof data), sizeof data);
    assert_int_equal(lseek(fd, 17, SEEK_SET), 17);
    static const size_t sizes[] = {0, 1, 8191, 8192, 8193, sizeof data};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct digest from_file;
        struct digest from_memory;
        assert_int_equal(digest_file(&from_file, fd, sizes[i]), 0);
        assert_int_equal(digest_memory(&from_memory, data, sizes[i]), 0);
        assert_string_equal(from_file.hex, from_memory.hex);
    }
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 17);
    fclose(file);
}

static void the_stream_is_left_at_its_beginning(void **state)
{
    (void)state;
    struct body body;
    struct digest first;
    struct digest second;
    body_init(&body, -1, "abc", 3);
    assert_int_equal(digest_stream(&first, &body.stream), 0);
    assert_int_equal(digest_stream(&second, &body.stream), 0);
    assert_string_equal(first.hex, second.hex);
}

static void a_file_shorter_than_promised_is_an_error(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write(fileno(file), "abc", 3), 3);
    struct digest digest;
    assert_int_equal(digest_file(&digest, fileno(file), 4), -EIO);
    fclose(file);
}

static void an_unreadable_file_is_an_error(void **state)
{
    (void)state;
    struct digest digest;
    int dir = open("/", O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_int_equal(digest_file(&digest, dir, 1), -EIO);
    close(dir);
    assert_int_equal(digest_file(&digest, 1000000, 1), -EIO);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_hold),
        cmocka_unit_test(a_file_gives_what_its_bytes_give_and_keeps_its_position),
        cmocka_unit_test(the_stream_is_left_at_its_beginning),
        cmocka_unit_test(a_file_shorter_than_promised_is_an_error),
        cmocka_unit_test(an_unreadable_file_is_an_error),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
