#include "format.h"
#include "modes.h"
#include "records.h"

#include "core/csv.h"
#include "csv_reference.h"

static size_t format_clock_columns(char *out, size_t i)
{
    size_t length = csv_format_clock_columns(out, &bench_records()[i]);
    out[length] = '\n';
    return length + 1;
}

static size_t format_row(char *out, size_t i)
{
    return csv_format_row(out, &bench_records()[i]);
}

static size_t reference_clock_columns(char *out, size_t i)
{
    size_t length = csv_reference_clock_columns(out, BENCH_ROW_MAX, &bench_records()[i]);
    out[length] = '\n';
    return length + 1;
}

static size_t reference_row(char *out, size_t i)
{
    return csv_reference_row(out, BENCH_ROW_MAX, &bench_records()[i]);
}

int mode_format(int argc, char **argv)
{
    static const struct format_case cases[] = {
        {"five", format_clock_columns},
        {"row", format_row},
        // The unit tests' reference: not a contestant, but what the bytes are checked against.
        {"reference_five", reference_clock_columns},
        {"reference_row", reference_row},
    };
    bench_records();
    return format_main(cases, sizeof cases / sizeof cases[0], argc, argv);
}
