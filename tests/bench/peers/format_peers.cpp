// The formatters one would reach for, each writing the same bytes as ours. HAVE_FMT: {fmt}, too.
// "_int" keeps the offset as the integer it is and prints it as two; the others take a double.
#include "format.h"

#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#ifdef HAVE_FMT
#include <fmt/compile.h>
#include <fmt/format.h>
#endif

namespace
{

const bench_row &row_at(size_t i)
{
    static const bench_row *const rows = bench_rows();
    return rows[i];
}

size_t with_snprintf(char *out, size_t i)
{
    const bench_row &row = row_at(i);
    return static_cast<size_t>(
        snprintf(out, BENCH_ROW_MAX, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%.9f,%s\n",
                 row.elapsed_us, row.elapsed_wall_us, row.wall_us, row.diff_s, row.status));
}

struct fixed {
    const char *sign;
    int64_t whole;
    int64_t rest;
};

fixed fixed_of(int64_t value, int64_t scale)
{
    int64_t magnitude = value < 0 ? -value : value;
    return {value < 0 ? "-" : "", magnitude / scale, magnitude % scale};
}

size_t with_snprintf_int(char *out, size_t i)
{
    const bench_row &row = row_at(i);
    fixed diff = fixed_of(row.diff_ns, 1000000000);
    return static_cast<size_t>(snprintf(
        out, BENCH_ROW_MAX, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%s%" PRId64 ".%09" PRId64 ",%s\n",
        row.elapsed_us, row.elapsed_wall_us, row.wall_us, diff.sign, diff.whole, diff.rest,
        row.status));
}

size_t with_fprintf(char *, size_t i)
{
    static FILE *const null = [] {
        static char buffer[65536];
        FILE *file = fopen("/dev/null", "w");
        setvbuf(file, buffer, _IOFBF, sizeof buffer);
        return file;
    }();
    const bench_row &row = row_at(i);
    fprintf(null, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%.9f,%s\n", row.elapsed_us,
            row.elapsed_wall_us, row.wall_us, row.diff_s, row.status);
    return 0;
}

char *put_text(char *out, const char *text)
{
    size_t length = strlen(text);
    memcpy(out, text, length);
    return out + length;
}

char *put_int(char *out, int64_t value)
{
    out = std::to_chars(out, out + 24, value).ptr;
    *out = ',';
    return out + 1;
}

size_t with_to_chars(char *out, size_t i)
{
    const bench_row &row = row_at(i);
    char *p = put_int(put_int(put_int(out, row.elapsed_us), row.elapsed_wall_us), row.wall_us);
    p = std::to_chars(p, p + 40, row.diff_s, std::chars_format::fixed, 9).ptr;
    *p++ = ',';
    p = put_text(p, row.status);
    *p++ = '\n';
    return static_cast<size_t>(p - out);
}

size_t with_to_chars_int(char *out, size_t i)
{
    const bench_row &row = row_at(i);
    char *p = put_int(put_int(put_int(out, row.elapsed_us), row.elapsed_wall_us), row.wall_us);
    fixed diff = fixed_of(row.diff_ns, 1000000000);
    p = put_text(p, diff.sign);
    p = std::to_chars(p, p + 24, diff.whole).ptr;
    // The leading zeros of the decimals: write 1 in front, then the point over it.
    char *point = p;
    p = std::to_chars(p, p + 24, diff.rest + 1000000000).ptr;
    *point = '.';
    *p++ = ',';
    p = put_text(p, row.status);
    *p++ = '\n';
    return static_cast<size_t>(p - out);
}

#ifdef HAVE_FMT
size_t with_fmt(char *out, size_t i)
{
    const bench_row &row = row_at(i);
    return static_cast<size_t>(fmt::format_to(out, "{},{},{},{:.9f},{}\n", row.elapsed_us,
                                              row.elapsed_wall_us, row.wall_us, row.diff_s,
                                              row.status) -
                               out);
}

size_t with_fmt_compiled(char *out, size_t i)
{
    const bench_row &row = row_at(i);
    return static_cast<size_t>(fmt::format_to(out, FMT_COMPILE("{},{},{},{:.9f},{}\n"),
                                              row.elapsed_us, row.elapsed_wall_us, row.wall_us,
                                              row.diff_s, row.status) -
                               out);
}
#endif

// All nineteen columns in one call: what a program would do that does not think about it.
size_t with_snprintf_row(char *out, size_t i)
{
    const bench_row &r = row_at(i);
    return static_cast<size_t>(snprintf(
        out, BENCH_ROW_MAX,
        "%" PRId64 ",%" PRId64 ",%" PRId64 ",%.9f,%s,%08x,%" PRIu64 ",%" PRId64 ",%u,synced,chrony,"
        "%u,%.3f,%.9f,%.6f,%.9f,%.9f,%.9f,%s\n",
        r.elapsed_us, r.elapsed_wall_us, r.wall_us, r.diff_s, r.status, BENCH_BOOT_ID, r.seq,
        r.elapsed_raw_ns, r.window_ns, BENCH_STRATUM, static_cast<double>(r.ref_age_ms) / 1e3,
        static_cast<double>(r.last_offset_ns) / 1e9, static_cast<double>(r.freq_ppt) / 1e6,
        static_cast<double>(r.root_delay_ns) / 1e9, static_cast<double>(r.root_dispersion_ns) / 1e9,
        static_cast<double>(r.error_bound_ns) / 1e9, ""));
}

// No formatter at all: the bytes are there already. The limit.
size_t with_memcpy(char *out, size_t i)
{
    static struct {
        char text[80];
        size_t length;
    } ready[BENCH_ROWS];
    if (ready[i].length == 0) {
        ready[i].length = with_snprintf(ready[i].text, i);
    }
    memcpy(out, ready[i].text, sizeof ready[i].text);
    return ready[i].length;
}

} // namespace

int main(int argc, char **argv)
{
    static const format_case cases[] = {
        {"snprintf", with_snprintf}, {"snprintf_int", with_snprintf_int}, {"fprintf", with_fprintf},
        {"to_chars", with_to_chars}, {"to_chars_int", with_to_chars_int},
#ifdef HAVE_FMT
        {"fmt", with_fmt},           {"fmt_compiled", with_fmt_compiled},
#endif
        {"memcpy", with_memcpy},     {"snprintf_row", with_snprintf_row},
    };
    return format_main(cases, sizeof cases / sizeof cases[0], argc - 1, argv + 1);
}
