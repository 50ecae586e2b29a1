#include "upload/s3_key.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct writer {
    char *out;
    size_t size;
    size_t used;
};

static void put_byte(struct writer *writer, char byte)
{
    if (writer->used < writer->size) {
        writer->out[writer->used] = byte;
    }
    writer->used++;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~/", c) != NULL);
}

static void put_encoded(struct writer *writer, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        unsigned byte = (unsigned char)*text;
        if (is_unreserved(*text)) {
            put_byte(writer, *text);
        } else {
            put_byte(writer, '%');
            put_byte(writer, digits[byte >> 4]);
            put_byte(writer, digits[byte & 15]);
        }
    }
}

// The length of the endpoint without slashes at its end; 0 when something follows the host.
static size_t endpoint_length(const char *endpoint)
{
    const char *scheme_end = strstr(endpoint, "://");
    if (scheme_end == NULL) {
        return 0;
    }
    const char *host = scheme_end + 3;
    size_t host_len = strcspn(host, "/?#");
    const char *rest = host + host_len;
    return rest[strspn(rest, "/")] == '\0' ? (size_t)(rest - endpoint) : 0;
}

int s3_key_url(char *out, size_t size, const struct s3_place *place, const char *name)
{
    size_t len = endpoint_length(place->endpoint);
    if (len == 0) {
        return -EINVAL;
    }
    struct writer writer = {.out = out, .size = size, .used = 0};
    for (size_t i = 0; i < len; i++) {
        put_byte(&writer, place->endpoint[i]);
    }
    put_byte(&writer, '/');
    put_encoded(&writer, place->bucket);
    put_byte(&writer, '/');
    put_encoded(&writer, place->prefix);
    put_encoded(&writer, name);
    put_byte(&writer, '\0');
    return writer.used <= size ? 0 : -ENAMETOOLONG;
}
