#include "spool_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void spool_name_format(char out[SPOOL_NAME_MAX], const struct spool_name *name)
{
    switch (name->kind) {
    case SPOOL_SEALED:
        snprintf(out, SPOOL_NAME_MAX, "%010" PRIu64 ".csv", name->number);
        break;
    case SPOOL_PART:
        snprintf(out, SPOOL_NAME_MAX, "%010" PRIu64 "-%08" PRIx32 "-%" PRIu64 ".csv.part",
                 name->number, name->boot_id, name->first_seq);
        break;
    case SPOOL_EVICTED:
        snprintf(out, SPOOL_NAME_MAX,
                 "%010" PRIu64 "-%08" PRIx32 "-%" PRIu64 "-%" PRIu64 ".evicted", name->number,
                 name->boot_id, name->first_seq, name->last_seq);
        break;
    default: // SPOOL_STRANGER, which has no name of ours
        out[0] = '\0';
        break;
    }
}

// Reads one number in BASE and the character behind it, which goes to *AFTER.
static bool take_number(const char **text, unsigned base, uint64_t *value, char *after)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = *text;
    uint64_t v = 0;
    for (const char *digit; *p != '\0' && (digit = memchr(digits, *p, base)) != NULL; p++) {
        if (v > (UINT64_MAX - 15) / base) {
            return false;
        }
        v = v * base + (uint64_t)(digit - digits);
    }
    *value = v;
    *after = *p;
    *text = *p == '\0' ? p : p + 1;
    return true;
}

static struct spool_name guess(const char *text)
{
    struct spool_name name = {.kind = SPOOL_STRANGER};
    uint64_t boot_id;
    char after;
    if (!take_number(&text, 10, &name.number, &after)) {
        return name;
    }
    if (after == '.') {
        name.kind = SPOOL_SEALED;
        return name;
    }
    if (!take_number(&text, 16, &boot_id, &after) || boot_id > UINT32_MAX ||
        !take_number(&text, 10, &name.first_seq, &after)) {
        return name;
    }
    name.boot_id = (uint32_t)boot_id;
    name.kind = SPOOL_PART;
    if (after == '-') {
        name.kind = take_number(&text, 10, &name.last_seq, &after) ? SPOOL_EVICTED : SPOOL_STRANGER;
    }
    return name;
}

struct spool_name spool_name_parse(const char *text)
{
    // Guess from the digits, then insist that we would have written exactly this: leading zeros,
    // suffixes and case need no rules of their own.
    struct spool_name name = guess(text);
    char canonical[SPOOL_NAME_MAX];
    spool_name_format(canonical, &name);
    if (name.number == 0 || name.number > SPOOL_NUMBER_MAX || strcmp(canonical, text) != 0) {
        name.kind = SPOOL_STRANGER;
    }
    return name;
}
