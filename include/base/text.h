/*
 * Appends formatted text to a buffer that may be too small: then it is cut, never overrun.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct text {
    char *out;
    size_t cap;
    size_t length; /* without the terminator; below cap */
};

/* OUT is CAP bytes, at least 1. */
static inline struct text text_begin(char *out, size_t cap)
{
    out[0] = '\0';
    return (struct text){.out = out, .cap = cap};
}

__attribute__((format(printf, 2, 3))) static inline void text_add(struct text *text,
                                                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = text->cap - text->length;
    int wanted = vsnprintf(text->out + text->length, room, format, args);
    va_end(args);
    if (wanted > 0) {
        text->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
    }
}

#endif
