/* Any bytes as a server's answer, in lines and pieces of any length: facts stay in their form. */
#include "fuzz.h"

#include "upload/answer.h"

#include <stdbool.h>
#include <string.h>

// Header lines up to an empty one, then the body, cut into pieces of its first byte's length.
static void feed(struct answer *answer, const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = text + size;
    bool more = true;
    while (more && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *next = newline != NULL ? newline + 1 : end;
        more = answer_add_header(answer, text, (size_t)(next - text)) && next - text > 2;
        text = next;
    }
    size_t piece = text < end ? 1 + (size_t)(uint8_t)*text : 1;
    while (text < end) {
        size_t length = (size_t)(end - text) < piece ? (size_t)(end - text) : piece;
        answer_add_body(answer, text, length);
        text += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer answer;
    answer_begin(&answer);
    feed(&answer, data, size);
    answer_finish(&answer);
    FUZZ_REQUIRE(memchr(answer.code, '\0', sizeof answer.code) != NULL);
    for (const char *p = answer.code; *p != '\0'; p++) {
        FUZZ_REQUIRE(strchr("<>&;?= \"'", *p) == NULL && *p > ' ' && *p <= 'z');
    }
    size_t etag = strlen(answer.etag_md5);
    FUZZ_REQUIRE(etag == 0 || (etag == 32 && answer.etag_formed));
    FUZZ_REQUIRE(strspn(answer.etag_md5, "0123456789abcdef") == etag);
    return 0;
}
