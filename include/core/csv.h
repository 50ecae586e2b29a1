/*
 * A record as one CSV row: the only place that knows the columns, their order and their digits.
 *
 * Comma separated, LF, no quoting needed, '.' as decimal point whatever the locale, absent = empty
 * field. Integers only, end to end: no digit depends on floating point. docs/RECORD.md is the
 * same table for people. Pure functions; any thread.
 */
#ifndef CORE_CSV_H
#define CORE_CSV_H

#include "core/record.h"

#include <stddef.h>

/* No row or header is longer, its LF included. */
#define CSV_ROW_MAX 512

/* The first line of every file, LF included. */
extern const char csv_header[];

/*
 * Writes RECORD as one row with its LF to OUT (at least CSV_ROW_MAX bytes), unterminated. Returns
 * the length.
 */
size_t csv_format_row(char *out, const struct record *record);

/*
 * Writes the row's first five columns alone (those that older logs have), without a comma or LF
 * behind them. csv_format_row starts with exactly these bytes. Returns the length.
 */
size_t csv_format_clock_columns(char *out, const struct record *record);

/* What recovery needs of a row that was read back. */
struct csv_key {
    uint32_t boot_id;
    uint64_t seq;
};

/*
 * Reads boot_id and seq of a row of LEN bytes, without its LF. 0, or -EBADMSG when it is no whole
 * row of ours.
 */
int csv_parse_key(const char *row, size_t len, struct csv_key *key);

/* What a row declares lost; whoever deletes the row must declare it again. */
struct csv_losses {
    uint64_t dropped; /* records numbered just below the row's own seq; 0 = none */
    uint64_t evicted_first;
    uint64_t evicted_last; /* 0 = none */
};

/* Reads the losses in the event column of a row of LEN bytes, without its LF. 0 or -EBADMSG. */
int csv_parse_losses(const char *row, size_t len, struct csv_losses *losses);

/*
 * Projects a rich row of LEN bytes (without its LF) to the five columns that integrators' older
 * logs have: no header there, clock_diff with six decimals and its sign, 0 where unknown.
 * OUT holds at least CSV_ROW_MAX bytes. Returns the length with LF, or -EBADMSG.
 */
int csv_project_legacy(char *out, const char *row, size_t len);

#endif
