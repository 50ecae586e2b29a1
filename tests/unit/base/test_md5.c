#include "base/md5.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool forbidden;

int __real_MD5_Init(void *context);
int __wrap_MD5_Init(void *context);

int __wrap_MD5_Init(void *context)
{
    return forbidden ? 0 : __real_MD5_Init(context);
}

static const char *hex_of(const struct md5_state *state)
{
    static char hex[2 * MD5_BYTES + 1];
    uint8_t md5[MD5_BYTES];
    assert_int_equal(md5_end(state, md5), 0);
    for (size_t i = 0; i < MD5_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", md5[i]);
    }
    return hex;
}

/* RFC 1321, appendix A.5 */
static const struct {
    const char *text;
    const char *hex;
} vectors[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
};

static void md5_holds_the_vectors_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct md5_state md5;
        md5_begin(&md5);
        md5_add(&md5, vectors[i].text, strlen(vectors[i].text));
        assert_string_equal(hex_of(&md5), vectors[i].hex);
    }
}

static void md5_does_not_depend_on_the_pieces(void **state)
{
    (void)state;
    const char *text = vectors[6].text;
    for (size_t piece = 1; piece <= 80; piece++) {
        struct md5_state md5;
        md5_begin(&md5);
        for (size_t at = 0; at < 80; at += piece) {
            md5_add(&md5, text + at, at + piece < 80 ? piece : 80 - at);
        }
        assert_string_equal(hex_of(&md5), vectors[6].hex);
    }
}

static void md5_goes_on_after_its_end_and_from_a_snapshot(void **state)
{
    (void)state;
    struct md5_state md5;
    md5_begin(&md5);
    md5_add(&md5, "a", 1);
    assert_string_equal(hex_of(&md5), vectors[1].hex);
    struct md5_state snapshot = md5;
    md5_add(&md5, "nother way", 10);
    md5 = snapshot;
    md5_add(&md5, "bc", 2);
    assert_string_equal(hex_of(&md5), vectors[2].hex);
    assert_string_equal(hex_of(&snapshot), vectors[1].hex);
}

static void md5_says_at_its_end_that_it_is_forbidden(void **state)
{
    (void)state;
    struct md5_state md5;
    uint8_t bytes[MD5_BYTES];
    forbidden = true;
    md5_begin(&md5);
    forbidden = false;
    md5_add(&md5, "abc", 3);
    assert_int_equal(md5_end(&md5, bytes), -ENOTSUP);
    md5_begin(&md5);
    assert_int_equal(md5_end(&md5, bytes), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(md5_holds_the_vectors_of_the_standard),
        cmocka_unit_test(md5_does_not_depend_on_the_pieces),
        cmocka_unit_test(md5_goes_on_after_its_end_and_from_a_snapshot),
        cmocka_unit_test(md5_says_at_its_end_that_it_is_forbidden),
    };
    return cmocka_run_group_tests_name("md5", tests, NULL, NULL);
}
