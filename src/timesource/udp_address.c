#include "timesource/udp_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_port(const char *text, uint16_t *port)
{
    unsigned value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0') {
        return -EINVAL;
    }
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (value == 0 || value > UINT16_MAX) {
        return -EINVAL;
    }
    *port = (uint16_t)value;
    return 0;
}

static int copy_host(char *host, const char *from, size_t length)
{
    if (length == 0 || length >= UDP_HOST_MAX) {
        return -EINVAL;
    }
    memcpy(host, from, length);
    host[length] = '\0';
    return 0;
}

int udp_address_split(const char *text, uint16_t default_port, char *host, uint16_t *port)
{
    const char *start = text;
    const char *end = text + strlen(text);
    const char *colon = NULL;
    if (*text == '[') {
        start = text + 1;
        end = strchr(start, ']');
        if (end == NULL || (end[1] != ':' && end[1] != '\0')) {
            return -EINVAL;
        }
        colon = end[1] == ':' ? end + 1 : NULL;
    } else {
        colon = strrchr(text, ':');
        if (colon != NULL && strchr(text, ':') != colon) {
            colon = NULL; // several colons: an IPv6 address without a port
        }
        end = colon != NULL ? colon : end;
    }
    if (copy_host(host, start, (size_t)(end - start)) != 0) {
        return -EINVAL;
    }
    if (colon != NULL) {
        return parse_port(colon + 1, port);
    }
    *port = default_port;
    return default_port == 0 ? -EINVAL : 0;
}

int udp_address_from_host(struct udp_address *out, const char *host, uint16_t port)
{
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, host, &out->socket.v4.sin_addr) == 1) {
        out->socket.v4.sin_family = AF_INET;
        out->socket.v4.sin_port = htons(port);
        out->length = sizeof out->socket.v4;
        return 0;
    }
    if (inet_pton(AF_INET6, host, &out->socket.v6.sin6_addr) == 1) {
        out->socket.v6.sin6_family = AF_INET6;
        out->socket.v6.sin6_port = htons(port);
        out->length = sizeof out->socket.v6;
        return 0;
    }
    return -EINVAL;
}

int udp_address_parse(struct udp_address *out, const char *text, uint16_t default_port)
{
    char host[UDP_HOST_MAX];
    uint16_t port;
    int error = udp_address_split(text, default_port, host, &port);
    return error != 0 ? error : udp_address_from_host(out, host, port);
}
