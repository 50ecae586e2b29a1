/* Any text as the answer of url_source: what is taken from it are URLs that may be used. */
#include "fuzz.h"

#include "upload/supply.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct supply_answer answer;
    static char text[65536];
    struct url_facts facts;
    const char *why = NULL;
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    if (supply_parse(text, false, &answer, &why) != 0) {
        FUZZ_REQUIRE(why != NULL);
        return 0;
    }
    for (int object = 0; object < OBJECT_COUNT; object++) {
        const char *url = answer.urls[object];
        FUZZ_REQUIRE(url[0] == '\0' || url_check(url, false, &facts, &why) == 0);
    }
    return 0;
}
