#include "fake_timesource.h"

static int fake_read(struct timesource *source, mono_time deadline, struct reading *out)
{
    struct fake_timesource *fake = (struct fake_timesource *)source;
    fake->read_at[fake->reads++ % FAKE_INSTANTS] = mono_now();
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

static bool fake_ask_ahead(struct timesource *source)
{
    struct fake_timesource *fake = (struct fake_timesource *)source;
    if (fake->answers_ahead) {
        fake->asked_at[fake->asked_ahead++ % FAKE_INSTANTS] = mono_now();
    }
    return fake->answers_ahead;
}

static void fake_close(struct timesource *source)
{
    (void)source;
}

static const struct timesource_ops fake_ops = {
    .name = "fake", .read = fake_read, .ask_ahead = fake_ask_ahead, .close = fake_close};

void fake_timesource_init(struct fake_timesource *fake, const struct reading *script,
                          const int *errors, size_t length)
{
    *fake = (struct fake_timesource){
        .source = {&fake_ops}, .script = script, .errors = errors, .length = length};
}
