#include "upload/answer.h"

#include "upload/backoff.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define MD5_HEX_LEN 32
/* Beyond any clamp, and far from overflow when subtracted. */
#define SECONDS_MAX INT64_C(1000000000000)

struct text {
    const char *start;
    size_t len;
};

void answer_begin(struct answer *answer)
{
    *answer = (struct answer){.retry_after_s = BACKOFF_NO_RETRY_AFTER};
}

static struct text trim(const char *start, size_t len)
{
    while (len > 0 && strchr(" \t", *start) != NULL) {
        start++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", start[len - 1]) != NULL) {
        len--;
    }
    return (struct text){start, len};
}

// "Sun, 22 Nov 2026 15:45:00 GMT"; the two older forms are not sent by anybody any more.
static int64_t parse_http_date(struct text value)
{
    char copy[64];
    if (value.len >= sizeof copy) {
        return 0;
    }
    memcpy(copy, value.start, value.len);
    copy[value.len] = '\0';
    struct tm tm = {0};
    const char *end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return end != NULL && *end == '\0' ? (int64_t)timegm(&tm) : 0;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Nothing, or "-" and the number of parts of a multipart upload.
static bool is_parts_suffix(const char *text, size_t len)
{
    if (len == 0) {
        return true;
    }
    for (size_t i = 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return len >= 2 && text[0] == '-';
}

static void take_etag(struct answer *answer, struct text value)
{
    answer->etag_formed = false;
    answer->etag_md5[0] = '\0';
    if (value.len < MD5_HEX_LEN + 2 || value.start[0] != '"' || value.start[value.len - 1] != '"') {
        return;
    }
    const char *hex = value.start + 1;
    size_t suffix_len = value.len - 2 - MD5_HEX_LEN;
    char lower[MD5_HEX_LEN + 1] = "";
    for (size_t i = 0; i < MD5_HEX_LEN; i++) {
        if (!is_hex(hex[i])) {
            return;
        }
        lower[i] = hex[i];
        if (lower[i] >= 'A' && lower[i] <= 'F') {
            lower[i] = (char)(lower[i] + ('a' - 'A'));
        }
    }
    answer->etag_formed = is_parts_suffix(hex + MD5_HEX_LEN, suffix_len);
    if (suffix_len == 0) {
        memcpy(answer->etag_md5, lower, sizeof lower);
    }
}

static void take_date(struct answer *answer, struct text value)
{
    answer->date_s = parse_http_date(value);
}

// Seconds, or a date. A date is kept as it is until the server's own Date is known.
static void take_retry_after(struct answer *answer, struct text value)
{
    int64_t seconds = 0;
    size_t i = 0;
    while (i < value.len && value.start[i] >= '0' && value.start[i] <= '9') {
        seconds = seconds < SECONDS_MAX ? seconds * 10 + (value.start[i] - '0') : seconds;
        i++;
    }
    answer->retry_after_is_date = false;
    answer->retry_after_s = BACKOFF_NO_RETRY_AFTER;
    if (i > 0 && i == value.len) {
        answer->retry_after_s = seconds;
        return;
    }
    int64_t date_s = parse_http_date(value);
    if (date_s != 0) {
        answer->retry_after_is_date = true;
        answer->retry_after_s = date_s;
    }
}

static const struct {
    const char *name;
    void (*take)(struct answer *answer, struct text value);
} headers[] = {
    {"etag", take_etag},
    {"date", take_date},
    {"retry-after", take_retry_after},
};

bool answer_add_header(struct answer *answer, const char *line, size_t len)
{
    if (len >= 5 && strncmp(line, "HTTP/", 5) == 0) {
        uint64_t bytes = answer->header_bytes;
        answer_begin(answer);
        answer->header_bytes = bytes;
    }
    answer->header_bytes += len;
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon != NULL ? (size_t)(colon - line) : 0;
    for (size_t i = 0; name_len > 0 && i < sizeof headers / sizeof headers[0]; i++) {
        if (strlen(headers[i].name) == name_len &&
            strncasecmp(line, headers[i].name, name_len) == 0) {
            headers[i].take(answer, trim(colon + 1, len - name_len - 1));
        }
    }
    return answer->header_bytes <= ANSWER_HEADERS_MAX;
}

bool answer_add_body(struct answer *answer, const char *data, size_t len)
{
    if (answer->body_bytes < ANSWER_KEPT_MAX) {
        size_t room = ANSWER_KEPT_MAX - (size_t)answer->body_bytes;
        memcpy(answer->kept + answer->body_bytes, data, len < room ? len : room);
    }
    answer->body_bytes += len;
    return answer->body_bytes <= ANSWER_BODY_MAX;
}

static bool is_code_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
}

static void find_code(struct answer *answer)
{
    static const char tag[] = "<Code>";
    size_t kept =
        answer->body_bytes < ANSWER_KEPT_MAX ? (size_t)answer->body_bytes : (size_t)ANSWER_KEPT_MAX;
    const char *found = memmem(answer->kept, kept, tag, sizeof tag - 1);
    if (found == NULL) {
        return;
    }
    const char *start = found + sizeof tag - 1;
    size_t room = kept - (size_t)(start - answer->kept);
    size_t len = 0;
    while (len < room && len < sizeof answer->code && is_code_char(start[len])) {
        len++;
    }
    // Only a code that ends where S3 ends it: no cut one may match a rule.
    if (len < room && len < sizeof answer->code && start[len] == '<') {
        memcpy(answer->code, start, len);
        answer->code[len] = '\0';
    }
}

void answer_finish(struct answer *answer)
{
    find_code(answer);
    if (!answer->retry_after_is_date) {
        return;
    }
    // Both by the server's clock: ours, which may be wrong, has no part in it.
    answer->retry_after_is_date = false;
    answer->retry_after_s =
        answer->date_s != 0 ? answer->retry_after_s - answer->date_s : BACKOFF_NO_RETRY_AFTER;
}
