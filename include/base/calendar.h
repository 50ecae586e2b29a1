/*
 * Seconds since 1970-01-01 as a date in UTC, computed: no time zone, no locale, no leap-second
 * table can touch it, and no year is too far away. Pure.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdint.h>

struct calendar_date {
    int64_t year;
    int month;   /* 1..12 */
    int day;     /* 1..31 */
    int weekday; /* 0 = Sunday */
    int hour;
    int minute;
    int second;
};

struct calendar_date calendar_from_seconds(int64_t seconds);

#endif
