/*
 * The common rows as the product's records.
 */
#ifndef BENCH_RECORDS_H
#define BENCH_RECORDS_H

#include "core/record.h"

/* BENCH_ROWS records that hold what bench_rows() does. */
const struct record *bench_records(void);

#endif
