#include "format.h"
#include "modes.h"
#include "records.h"

#include "core/csv.h"

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

int mode_format(int argc, char **argv)
{
    static const struct format_case cases[] = {
        {"five", format_clock_columns},
        {"row", format_row},
    };
    bench_records();
    return format_main(cases, sizeof cases / sizeof cases[0], argc, argv);
}
