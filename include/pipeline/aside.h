/*
 * Segments that a server refuses for what they are: each is passed over until its own time comes,
 * so that one bad segment never holds up the good ones behind it. Pure; one thread at a time.
 */
#ifndef PIPELINE_ASIDE_H
#define PIPELINE_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASIDE_MAX      16
#define ASIDE_NEVER_NS INT64_MAX

struct aside {
    struct {
        uint64_t number; /* of the segment */
        int64_t due_ns;  /* CLOCK_MONOTONIC: not before */
    } entries[ASIDE_MAX];
    size_t count;
};

/* Sets segment NUMBER aside. When there is no room, the one due first is forgotten: it goes early.
 */
void aside_add(struct aside *aside, uint64_t number, int64_t due_ns);

/* Is it to be passed over at NOW_NS? */
bool aside_holds(const struct aside *aside, uint64_t number, int64_t now_ns);

/* Forgets all that are due by NOW_NS. */
void aside_expire(struct aside *aside, int64_t now_ns);

/* When the first of them is due; ASIDE_NEVER_NS when there is none. */
int64_t aside_next_ns(const struct aside *aside);

#endif
