#include "fake_timesource.h"

static int fake_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    struct fake_timesource *fake = (struct fake_timesource *)source;
    int64_t budget_ns = mono_diff_ns(deadline, mono_now());
    if (budget_ns > fake->longest_budget_ns) {
        fake->longest_budget_ns = budget_ns;
    }
    size_t at = fake->next;
    if (fake->next + 1 < fake->length) {
        fake->next++;
    }
    if (fake->errors != NULL && fake->errors[at] != 0) {
        return fake->errors[at];
    }
    *out = fake->script[at];
    return 0;
}

static void fake_close(struct timesource *source)
{
    (void)source;
}

static const struct timesource_ops fake_ops = {
    .name = "fake", .read = fake_read, .report = NULL, .close = fake_close};

void fake_timesource_init(struct fake_timesource *fake, const struct reading *script,
                          const int *errors, size_t length)
{
    *fake = (struct fake_timesource){
        .source = {&fake_ops}, .script = script, .errors = errors, .length = length};
}
