#include "timesource/udp_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct sample {
    const char *text;
    uint16_t default_port;
    const char *host; // NULL: refused
    uint16_t port;
};

static const struct sample samples[] = {
    {"127.0.0.1:323", 0, "127.0.0.1", 323},
    {"[::1]:323", 0, "::1", 323},
    {"192.0.2.1", 123, "192.0.2.1", 123},
    {"2001:db8::1", 123, "2001:db8::1", 123},
    {"[2001:db8::1]", 123, "2001:db8::1", 123},
    {"[2001:db8::1]:1123", 123, "2001:db8::1", 1123},
    {"pool.example:123", 123, "pool.example", 123},
    {"127.0.0.1", 0, NULL, 0},
    {"127.0.0.1:", 0, NULL, 0},
    {"127.0.0.1:0", 0, NULL, 0},
    {"127.0.0.1:65536", 0, NULL, 0},
    {"127.0.0.1:99999999999", 0, NULL, 0},
    {"127.0.0.1:32x", 0, NULL, 0},
    {"127.0.0.1:-5", 0, NULL, 0},
    {":323", 0, NULL, 0},
    {"", 123, NULL, 0},
    {"[::1", 123, NULL, 0},
    {"[::1]x", 123, NULL, 0},
    {"[]:323", 0, NULL, 0},
};

static void texts_split_into_host_and_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char host[UDP_HOST_MAX];
        uint16_t port = 0;
        int error = udp_address_split(samples[i].text, samples[i].default_port, host, &port);
        if (samples[i].host == NULL) {
            assert_int_equal(error, -EINVAL);
            continue;
        }
        assert_int_equal(error, 0);
        assert_string_equal(host, samples[i].host);
        assert_int_equal(port, samples[i].port);
    }
}

static void numeric_hosts_become_addresses(void **state)
{
    (void)state;
    struct udp_address address;
    assert_int_equal(udp_address_parse(&address, "127.0.0.1:323", 0), 0);
    assert_int_equal(address.socket.v4.sin_family, AF_INET);
    assert_int_equal(ntohs(address.socket.v4.sin_port), 323);
    assert_int_equal(ntohl(address.socket.v4.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(address.length, sizeof(struct sockaddr_in));
    assert_int_equal(udp_address_parse(&address, "[::1]:323", 0), 0);
    assert_int_equal(address.socket.v6.sin6_family, AF_INET6);
    assert_int_equal(address.length, sizeof(struct sockaddr_in6));
}

static void names_are_refused_without_asking_anybody(void **state)
{
    (void)state;
    struct udp_address address;
    assert_int_equal(udp_address_parse(&address, "localhost:323", 0), -EINVAL);
    assert_int_equal(udp_address_parse(&address, "127.1:323", 0), -EINVAL);
}

static void host_longer_than_dns_allows_is_refused(void **state)
{
    (void)state;
    char text[UDP_HOST_MAX + 8];
    char host[UDP_HOST_MAX];
    uint16_t port;
    memset(text, 'a', sizeof text);
    text[UDP_HOST_MAX - 1] = '\0';
    assert_int_equal(udp_address_split(text, 1, host, &port), 0);
    text[UDP_HOST_MAX - 1] = 'a';
    text[UDP_HOST_MAX] = '\0';
    assert_int_equal(udp_address_split(text, 1, host, &port), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_split_into_host_and_port),
        cmocka_unit_test(numeric_hosts_become_addresses),
        cmocka_unit_test(names_are_refused_without_asking_anybody),
        cmocka_unit_test(host_longer_than_dns_allows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
