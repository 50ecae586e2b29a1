/* Any text as a presigned URL: what is shown of it never holds a byte of its query. */
#include "fuzz.h"

#include "upload/url.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[URL_MAX + 64];
    struct url_facts facts;
    const char *why = "unset";
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    int result = url_parse(text, &facts, &why);
    FUZZ_REQUIRE((result == 0) == (why == NULL));
    FUZZ_REQUIRE(memchr(facts.where, '\0', sizeof facts.where) != NULL);
    if (result == 0) {
        size_t shown = strlen(facts.where);
        FUZZ_REQUIRE(strpbrk(facts.where, "?# ") == NULL);
        FUZZ_REQUIRE(shown <= strcspn(text, "?"));
        FUZZ_REQUIRE(!facts.expires || facts.expiry_s >= facts.signed_s);
        FUZZ_REQUIRE(url_check(text, true, &facts, &why) == 0);
        FUZZ_REQUIRE((url_check(text, false, &facts, &why) == 0) == facts.https);
    }
    return 0;
}
