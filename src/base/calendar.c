#include "base/calendar.h"

#define S_PER_DAY     86400
#define DAYS_PER_ERA  146097 // 400 years, after which the Gregorian calendar repeats
#define YEARS_PER_ERA 400

// 1970-01-01 counted from 0000-03-01: in years that begin in March the leap day comes last.
#define EPOCH_DAYS 719468

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

struct calendar_date calendar_from_seconds(int64_t seconds)
{
    int64_t days = floor_div(seconds, S_PER_DAY);
    int second_of_day = (int)((seconds % S_PER_DAY + S_PER_DAY) % S_PER_DAY);
    int64_t era = floor_div(days + EPOCH_DAYS, DAYS_PER_ERA);
    int64_t day_of_era = days + EPOCH_DAYS - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; // 0 = March; 153 days are five months from March
    return (struct calendar_date){
        .year = era * YEARS_PER_ERA + year_of_era + (month >= 10 ? 1 : 0),
        .month = (int)((month + 2) % 12 + 1),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
        .weekday = (int)(days - floor_div(days + 4, 7) * 7 + 4), // 1970-01-01 was a Thursday
        .hour = second_of_day / 3600,
        .minute = second_of_day / 60 % 60,
        .second = second_of_day % 60,
    };
}
