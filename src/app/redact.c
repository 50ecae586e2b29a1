#include "redact.h"

#include "upload/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char hidden[] = "********";

// Where a user name would begin.
static const char *authority_of(const char *text)
{
    const char *scheme = strstr(text, "://");
    return scheme != NULL ? scheme + 3 : text;
}

void redact(char out[REDACT_MAX], const char *text)
{
    const char *authority = authority_of(text);
    const char *end = text + url_public_length(text);
    const char *at = strrchr(authority, '@');
    const char *rest = *end != '\0' ? hidden : "";
    if (at == NULL) {
        snprintf(out, REDACT_MAX, "%.*s%s%s", (int)(end - text), text, *end == '?' ? "?" : "",
                 rest);
    } else if (at < end) {
        snprintf(out, REDACT_MAX, "%.*s%s%.*s%s", (int)(authority - text), text, hidden,
                 (int)(end - at), at, rest);
    } else {
        // An '@' behind a '?': whether that belongs to a password is anybody's guess.
        snprintf(out, REDACT_MAX, "%s", hidden);
    }
    for (char *p = out; *p != '\0'; p++) {
        *p = (char)(isprint((unsigned char)*p) ? *p : '.');
    }
}
