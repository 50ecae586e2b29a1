/*
 * The row as printf would write it: the plain reference that csv.c must equal byte for byte, and
 * the records to compare them on.
 */
#ifndef TESTS_CSV_REFERENCE_H
#define TESTS_CSV_REFERENCE_H

#include "core/record.h"

#include <stddef.h>

/* As csv_format_row. OUT holds at least CSV_ROW_MAX + 1 bytes. */
size_t csv_reference_row(char *out, size_t size, const struct record *record);

/* As csv_format_clock_columns. */
size_t csv_reference_clock_columns(char *out, size_t size, const struct record *record);

/* xorshift64: STATE is not 0. */
uint64_t csv_reference_random(uint64_t *state);

/* A record of random fields: all magnitudes, both signs, the type's ends, any set of bits. */
void csv_reference_random_record(struct record *record, uint64_t *state);

/* The record with the longest row there can be. */
void csv_reference_longest_record(struct record *record);

#endif
