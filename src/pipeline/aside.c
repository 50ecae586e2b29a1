#include "pipeline/aside.h"

static size_t earliest(const struct aside *aside)
{
    size_t first = 0;
    for (size_t i = 1; i < aside->count; i++) {
        if (aside->entries[i].due_ns < aside->entries[first].due_ns) {
            first = i;
        }
    }
    return first;
}

void aside_add(struct aside *aside, uint64_t number, int64_t due_ns)
{
    size_t place = aside->count < ASIDE_MAX ? aside->count++ : earliest(aside);
    aside->entries[place].number = number;
    aside->entries[place].due_ns = due_ns;
}

bool aside_holds(const struct aside *aside, uint64_t number, int64_t now_ns)
{
    for (size_t i = 0; i < aside->count; i++) {
        if (aside->entries[i].number == number) {
            return aside->entries[i].due_ns > now_ns;
        }
    }
    return false;
}

void aside_expire(struct aside *aside, int64_t now_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < aside->count; i++) {
        if (aside->entries[i].due_ns > now_ns) {
            aside->entries[kept++] = aside->entries[i];
        }
    }
    aside->count = kept;
}

int64_t aside_next_ns(const struct aside *aside)
{
    return aside->count == 0 ? ASIDE_NEVER_NS : aside->entries[earliest(aside)].due_ns;
}
