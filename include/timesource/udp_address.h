/*
 * A numeric UDP address as people write it: "127.0.0.1:323", "[::1]:323", and where a default port
 * is known also "192.0.2.1", "2001:db8::1" and "[2001:db8::1]". Never asks a name server. Pure.
 */
#ifndef TIMESOURCE_UDP_ADDRESS_H
#define TIMESOURCE_UDP_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Holds the longest host name DNS allows, a port and a terminator. */
#define UDP_HOST_MAX 256

struct udp_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    socklen_t length;
};

/*
 * Splits TEXT into HOST (UDP_HOST_MAX bytes, brackets removed) and *PORT. DEFAULT_PORT 0 demands a
 * port in the text. 0, or -EINVAL for anything malformed: empty host, port not in 1..65535.
 */
int udp_address_split(const char *text, uint16_t default_port, char *host, uint16_t *port);

/* 0, or -EINVAL when HOST is not a numeric address. */
int udp_address_from_host(struct udp_address *out, const char *host, uint16_t port);

/* Both in one. */
int udp_address_parse(struct udp_address *out, const char *text, uint16_t default_port);

#endif
