#include "timesource/report_text.h"

#include "base/textbuf.h"
#include "timesource/tracking_text.h"

#include <inttypes.h>
#include <stdbool.h>

#define NEVER UINT32_MAX

// The kernel's status bits by their names in <sys/timex.h>, which only the driver includes.
static const struct bit {
    uint32_t mask;
    const char *name;
} kernel_bits[] = {
    {0x0001, "PLL"},       {0x0002, "PPSFREQ"},   {0x0004, "PPSTIME"},   {0x0008, "FLL"},
    {0x0010, "INS"},       {0x0020, "DEL"},       {0x0040, "UNSYNC"},    {0x0080, "FREQHOLD"},
    {0x0100, "PPSSIGNAL"}, {0x0200, "PPSJITTER"}, {0x0400, "PPSWANDER"}, {0x0800, "PPSERROR"},
    {0x1000, "CLOCKERR"},  {0x2000, "NANO"},      {0x4000, "MODE"},      {0x8000, "CLK"},
};

static uint32_t stored_sources(const struct source_report *report)
{
    return report->source_count < REPORT_SOURCES_MAX ? report->source_count : REPORT_SOURCES_MAX;
}

// As the other sections of the status files: a title, underlined.
static void add_title(struct textbuf *text, const char *title)
{
    textbuf_printf(text, "\n%s\n", title);
    for (size_t i = 0; title[i] != '\0'; i++) {
        textbuf_printf(text, "=");
    }
    textbuf_printf(text, "\n");
}

static void add_source(struct textbuf *text, const struct report_source *source)
{
    char name[TRACKING_NAME_MAX];
    char since[16] = "never";
    tracking_listed_name(name, source);
    if (source->since_sample_s != NEVER) {
        snprintf(since, sizeof since, "%" PRIu32, source->since_sample_s);
    }
    textbuf_printf(text, "%-39s %-8s %-11s %7u %5d %5o %10s %+16.9f %+16.9f %16.9f\n", name,
                   tracking_mode_name(source->mode), tracking_state_name(source->state),
                   source->stratum, source->poll_log2_s, source->reach, since,
                   source->adjusted_offset_s, source->original_offset_s, source->offset_error_s);
}

static void add_sources(struct textbuf *text, const struct source_report *report)
{
    add_title(text, "Sources");
    textbuf_printf(text, "%-39s %-8s %-11s %7s %5s %5s %10s %16s %16s %16s\n", "name", "mode",
                   "state", "stratum", "poll", "reach", "last_rx_s", "adj_offset_s", "offset_s",
                   "error_s");
    for (uint32_t i = 0; i < stored_sources(report); i++) {
        add_source(text, &report->sources[i]);
    }
    if (report->source_count > REPORT_SOURCES_MAX) {
        textbuf_printf(text, "(%" PRIu32 " more)\n", report->source_count - REPORT_SOURCES_MAX);
    }
}

static void add_statistics(struct textbuf *text, const struct source_report *report)
{
    add_title(text, "Source statistics");
    textbuf_printf(text, "%-39s %7s %5s %10s %12s %12s %16s %16s\n", "name", "samples", "runs",
                   "span_s", "freq_ppm", "skew_ppm", "offset_s", "std_dev_s");
    for (uint32_t i = 0; i < stored_sources(report); i++) {
        const struct report_source *s = &report->sources[i];
        char name[TRACKING_NAME_MAX];
        if (!s->stats_valid) {
            continue;
        }
        tracking_listed_name(name, s);
        textbuf_printf(
            text, "%-39s %7" PRIu32 " %5" PRIu32 " %10" PRIu32 " %+12.3f %12.3f %+16.9f %16.9f\n",
            name, s->samples, s->runs, s->span_s, s->resid_freq_ppm, s->skew_ppm, s->est_offset_s,
            s->std_dev_s);
    }
}

static void add_activity(struct textbuf *text, const struct report_activity *a)
{
    add_title(text, "Activity");
    textbuf_printf(text, "Online          : %" PRIu32 "\n", a->online);
    textbuf_printf(text, "Offline         : %" PRIu32 "\n", a->offline);
    textbuf_printf(text, "Burst to online : %" PRIu32 "\n", a->burst_online);
    textbuf_printf(text, "Burst to offline: %" PRIu32 "\n", a->burst_offline);
    textbuf_printf(text, "Unresolved      : %" PRIu32 "\n", a->unresolved);
}

static void add_kernel(struct textbuf *text, const struct report_kernel *k)
{
    add_title(text, "Kernel");
    textbuf_printf(text, "State           : %" PRId32 "\n", k->state);
    textbuf_printf(text, "Status          : 0x%04" PRIx32, k->status);
    for (size_t i = 0; i < sizeof kernel_bits / sizeof kernel_bits[0]; i++) {
        if ((k->status & kernel_bits[i].mask) != 0) {
            textbuf_printf(text, " %s", kernel_bits[i].name);
        }
    }
    textbuf_printf(text, "\nLeft to correct : %" PRId64 " ns\n", k->offset_ns);
    textbuf_printf(text, "Frequency       : %+.6f ppm\n", (double)k->freq_ppt / 1e6);
    textbuf_printf(text, "Maximum error   : %" PRId64 " us\n", k->max_error_us);
    textbuf_printf(text, "Estimated error : %" PRId64 " us\n", k->est_error_us);
    textbuf_printf(text, "Tick            : %" PRId64 " us\n", k->tick_us);
    textbuf_printf(text, "TAI - UTC       : %" PRId32 " s%s\n", k->tai_s,
                   k->tai_s == 0 ? " (not set)" : "");
}

static void add_probe(struct textbuf *text, const struct report_probe *p)
{
    textbuf_printf(text, "%-39s %6" PRIu32 " %8" PRIu32 " %-8s", p->server, p->asked, p->rejected,
                   p->refused    ? "refuses"
                   : p->answered ? "answers"
                                 : "silent");
    if (p->answered) {
        textbuf_printf(text, " %7u %+16.9f %14.9f %14.9f %10.1f", p->stratum,
                       (double)p->offset_ns / 1e9, (double)p->delay_ns / 1e9,
                       (double)p->bound_ns / 1e9, (double)p->age_ns / 1e9);
    }
    textbuf_printf(text, "\n");
}

static void add_probes(struct textbuf *text, const struct source_report *report)
{
    uint32_t count =
        report->probe_count < REPORT_PROBES_MAX ? report->probe_count : REPORT_PROBES_MAX;
    add_title(text, "SNTP probes");
    textbuf_printf(text, "%-39s %6s %8s %-8s %7s %16s %14s %14s %10s\n", "server", "asked",
                   "rejected", "state", "stratum", "offset_s", "delay_s", "bound_s", "age_s");
    for (uint32_t i = 0; i < count; i++) {
        add_probe(text, &report->probes[i]);
    }
}

static void add_replies(struct textbuf *text, const struct source_report *report)
{
    add_title(text, "Replies");
    textbuf_printf(text, "Good            : %" PRIu32 "\n", report->replies);
    textbuf_printf(text, "Rejected        : %" PRIu32 "\n", report->replies_rejected);
    textbuf_printf(text, "Missing         : %" PRIu32 "\n", report->replies_missing);
    if (report->refusal != 0) {
        textbuf_printf(text, "Refused         : status %" PRIu32 "\n", report->refusal);
    }
}

size_t report_text(char *out, size_t cap, const struct source_report *report)
{
    struct textbuf text = textbuf_over(out, cap);
    if ((report->valid & REPORT_SOURCES) != 0) {
        add_sources(&text, report);
        add_statistics(&text, report);
    }
    if ((report->valid & REPORT_ACTIVITY) != 0) {
        add_activity(&text, &report->activity);
    }
    if ((report->valid & REPORT_KERNEL) != 0) {
        add_kernel(&text, &report->kernel);
    }
    if ((report->valid & REPORT_PROBES) != 0) {
        add_probes(&text, report);
    }
    add_replies(&text, report);
    return text.used;
}
