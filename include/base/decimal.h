/*
 * Integers and fixed-point numbers as decimal text, two digits at a time, without printf.
 *
 * Each function writes at OUT, unterminated, and returns the end of what it wrote. Exact for every
 * value of the type, '.' whatever the locale, no floating point. Nothing beyond the returned end
 * is touched. Any thread.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>
#include <string.h>

/* The longest text of an int64_t or uint64_t, a decimal point included. */
#define DECIMAL_MAX 21

/* "00" "01" ... "99" */
extern const char decimal_pairs[200];

static inline char *decimal_put_digit(char *out, uint32_t v)
{
    *out = (char)('0' + v);
    return out + 1;
}

/* Exactly 2, 4 or 8 digits; V has no more. */
static inline char *decimal_put_2(char *out, uint32_t v)
{
    memcpy(out, decimal_pairs + (size_t)2 * v, 2);
    return out + 2;
}

static inline char *decimal_put_4(char *out, uint32_t v)
{
    return decimal_put_2(decimal_put_2(out, v / 100), v % 100);
}

static inline char *decimal_put_8(char *out, uint32_t v)
{
    return decimal_put_4(decimal_put_4(out, v / 10000), v % 10000);
}

/* 1 to 2, 4, 8 digits; V has no more. */
static inline char *decimal_put_upto_2(char *out, uint32_t v)
{
    return v < 10 ? decimal_put_digit(out, v) : decimal_put_2(out, v);
}

static inline char *decimal_put_upto_4(char *out, uint32_t v)
{
    return v < 100 ? decimal_put_upto_2(out, v)
                   : decimal_put_2(decimal_put_upto_2(out, v / 100), v % 100);
}

static inline char *decimal_put_upto_8(char *out, uint32_t v)
{
    return v < 10000 ? decimal_put_upto_4(out, v)
                     : decimal_put_4(decimal_put_upto_4(out, v / 10000), v % 10000);
}

/* Up to 20 digits: 8 at a time, so that a 32-bit machine divides 64 bits at most twice. */
static inline char *decimal_put_u64(char *out, uint64_t v)
{
    const uint64_t e8 = 100000000;
    if (v < e8) {
        return decimal_put_upto_8(out, (uint32_t)v);
    }
    uint64_t high = v / e8;
    uint32_t low = (uint32_t)(v % e8);
    if (high < e8) {
        out = decimal_put_upto_8(out, (uint32_t)high);
    } else {
        out = decimal_put_upto_4(out, (uint32_t)(high / e8));
        out = decimal_put_8(out, (uint32_t)(high % e8));
    }
    return decimal_put_8(out, low);
}

/* The absolute value, defined for INT64_MIN too. */
static inline uint64_t decimal_magnitude(int64_t v)
{
    return v < 0 ? 0u - (uint64_t)v : (uint64_t)v;
}

static inline char *decimal_put_minus(char *out, int64_t v)
{
    *out = '-'; // always stored, kept only when needed: no branch
    return out + (v < 0);
}

static inline char *decimal_put_i64(char *out, int64_t v)
{
    return decimal_put_u64(decimal_put_minus(out, v), decimal_magnitude(v));
}

/* V counts thousandths: 3 decimals. */
static inline char *decimal_put_milli(char *out, int64_t v)
{
    uint64_t m = decimal_magnitude(v);
    out = decimal_put_u64(decimal_put_minus(out, v), m / 1000);
    uint32_t rest = (uint32_t)(m % 1000);
    *out++ = '.';
    return decimal_put_2(decimal_put_digit(out, rest / 100), rest % 100);
}

/* V counts millionths: 6 decimals. */
static inline char *decimal_put_micro(char *out, int64_t v)
{
    uint64_t m = decimal_magnitude(v);
    out = decimal_put_u64(decimal_put_minus(out, v), m / 1000000);
    uint32_t rest = (uint32_t)(m % 1000000);
    *out++ = '.';
    return decimal_put_4(decimal_put_2(out, rest / 10000), rest % 10000);
}

/* V counts 10^-9, nanoseconds printed as seconds: 9 decimals. */
static inline char *decimal_put_nano(char *out, int64_t v)
{
    uint64_t m = decimal_magnitude(v);
    out = decimal_put_u64(decimal_put_minus(out, v), m / 1000000000);
    uint32_t rest = (uint32_t)(m % 1000000000);
    *out++ = '.';
    return decimal_put_8(decimal_put_digit(out, rest / 100000000), rest % 100000000);
}

#endif
