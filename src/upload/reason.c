#include "upload/reason.h"

#include "base/calendar.h"

#include <inttypes.h>
#include <stdio.h>

#define DATE_MAX 48

// "2026-11-22 15:45 UTC"
static const char *format_date(char *out, int64_t seconds)
{
    struct calendar_date date = calendar_from_seconds(seconds);
    snprintf(out, DATE_MAX, "%04" PRId64 "-%02d-%02d %02d:%02d UTC", date.year, date.month,
             date.day, date.hour, date.minute);
    return out;
}

static void format_answer(char *out, size_t size, const struct reason_context *context)
{
    const struct put_answer *answer = context->answer;
    const char *words = outcome_action(context->outcome)->words;
    char date[DATE_MAX];
    char validity[DATE_MAX + 32] = "";
    if (context->outcome == OUTCOME_CREDENTIAL && context->url_expiry_s != 0) {
        // No clock is asked: whichever is wrong, this sentence is right.
        snprintf(validity, sizeof validity, " (it was valid until %s)",
                 format_date(date, context->url_expiry_s));
    }
    snprintf(out, size, "%sHTTP %d%s%s: %s%s", context->prefix, answer->http_status,
             answer->code[0] != '\0' ? " " : "", answer->code, words, validity);
}

void reason_format(char *out, size_t size, const struct reason_context *context)
{
    const struct put_answer *answer = context->answer;
    const char *words = outcome_action(context->outcome)->words;
    char date[DATE_MAX];
    if (answer->transport == TRANSPORT_ANSWERED) {
        format_answer(out, size, context);
    } else if (answer->transport == TRANSPORT_CERT_TIME) {
        // The date tells a person whether the clock is wrong or the certificate.
        snprintf(out, size, "%sthe server's certificate is not valid on %s (%s): nothing was sent",
                 context->prefix, format_date(date, answer->verify_time_s), answer->detail);
    } else {
        snprintf(out, size, "%s%s (%s)", context->prefix, words, answer->detail);
    }
}
