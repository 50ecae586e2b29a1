#include "core/latest.h"

#include <string.h>

void latest_init(struct latest *latest, _Atomic uint32_t *words, size_t size)
{
    atomic_init(&latest->version, 0);
    latest->size = size;
    latest->words = words;
    for (size_t i = 0; i < LATEST_WORDS(size); i++) {
        atomic_init(&words[i], 0);
    }
}

// Bytes of word I that belong to a value of SIZE bytes.
static size_t word_bytes(size_t size, size_t i)
{
    size_t left = size - i * sizeof(uint32_t);
    return left < sizeof(uint32_t) ? left : sizeof(uint32_t);
}

void latest_publish(struct latest *latest, const void *value)
{
    uint32_t version = atomic_load_explicit(&latest->version, memory_order_relaxed);
    atomic_store_explicit(&latest->version, version + 1, memory_order_relaxed);
    for (size_t i = 0; i < LATEST_WORDS(latest->size); i++) {
        uint32_t word = 0;
        memcpy(&word, (const char *)value + i * sizeof word, word_bytes(latest->size, i));
        // Release keeps the odd version before every word: a reader that sees a new word, by its
        // acquire, also sees the odd version and repeats.
        atomic_store_explicit(&latest->words[i], word, memory_order_release);
    }
    // Release keeps every word before the even version.
    atomic_store_explicit(&latest->version, version + 2, memory_order_release);
}

bool latest_read(struct latest *latest, void *value)
{
    for (;;) {
        uint32_t before = atomic_load_explicit(&latest->version, memory_order_acquire);
        if (before == 0) {
            return false;
        }
        for (size_t i = 0; i < LATEST_WORDS(latest->size); i++) {
            // Acquire keeps the second look at the version behind every word.
            uint32_t word = atomic_load_explicit(&latest->words[i], memory_order_acquire);
            memcpy((char *)value + i * sizeof word, &word, word_bytes(latest->size, i));
        }
        uint32_t after = atomic_load_explicit(&latest->version, memory_order_relaxed);
        if (before == after && before % 2 == 0) {
            return true;
        }
    }
}
