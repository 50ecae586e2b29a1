/*
 * Text put together piece by piece in a buffer of fixed size. What does not fit is cut off, and the
 * text stays terminated: a status that is too long still says its first part.
 */
#ifndef BASE_TEXTBUF_H
#define BASE_TEXTBUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct textbuf {
    char *text; /* the caller's */
    size_t capacity;
    size_t used; /* without the terminator, at most capacity - 1 */
};

static inline struct textbuf textbuf_over(char *text, size_t capacity)
{
    text[0] = '\0';
    return (struct textbuf){.text = text, .capacity = capacity, .used = 0};
}

__attribute__((format(printf, 2, 3))) static inline void textbuf_printf(struct textbuf *buf,
                                                                        const char *format, ...)
{
    size_t left = buf->capacity - buf->used;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(buf->text + buf->used, left, format, args);
    va_end(args);
    if (wanted > 0) {
        buf->used += (size_t)wanted < left ? (size_t)wanted : left - 1;
    }
}

#endif
