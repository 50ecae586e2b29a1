/*
 * The newest value of something: one thread publishes, any thread reads a consistent copy.
 *
 * A sequence lock over atomic words: the publisher never waits and takes no lock (the sampler must
 * not), a reader repeats its copy when a publication crossed it. The storage is the caller's.
 */
#ifndef CORE_LATEST_H
#define CORE_LATEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words needed for SIZE bytes. */
#define LATEST_WORDS(size) (((size) + 3) / 4)

struct latest {
    _Atomic uint32_t version; /* odd while a publication is under way; 0 = nothing yet */
    size_t size;
    _Atomic uint32_t *words;
};

/* WORDS holds LATEST_WORDS(size) elements and outlives LATEST. */
void latest_init(struct latest *latest, _Atomic uint32_t *words, size_t size);

/* Publishes SIZE bytes. One thread only; wait-free. */
void latest_publish(struct latest *latest, const void *value);

/* Copies the newest value. False when nothing was published yet. Any thread. */
bool latest_read(struct latest *latest, void *value);

#endif
