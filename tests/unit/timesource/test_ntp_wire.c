#include "timesource/ntp_wire.h"

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COOKIE UINT64_C(0x755d28b45b96f7c7)
#define UNIX_S INT64_C(1795348364)

// An exchange with a real chronyd 4.3 on the same machine.
static const uint8_t captured[NTP_PACKET_SIZE] = {
    0x24, 0x03, 0x00, 0xe7, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7f, 0x7f, 0x01, 0x01,
    0xee, 0xad, 0x56, 0x00, 0xc7, 0xa2, 0xc6, 0xdc, 0x75, 0x5d, 0x28, 0xb4, 0x5b, 0x96, 0xf7, 0xc7,
    0xee, 0xad, 0x56, 0x0c, 0x54, 0x00, 0xbf, 0xf3, 0xee, 0xad, 0x56, 0x0c, 0x54, 0x02, 0x8a, 0xb4,
};

static struct ntp_exchange usual(void)
{
    return (struct ntp_exchange){
        .cookie = COOKIE,
        .sent = {UNIX_S * NS_PER_S + 328126006},
        .received = {UNIX_S * NS_PER_S + 328178586},
    };
}

static enum ntp_answer judge(const uint8_t *reply, const struct ntp_exchange *exchange,
                             struct ntp_sample *out)
{
    return ntp_reply_judge(reply, NTP_PACKET_SIZE, exchange, out);
}

static void request_tells_nothing_but_its_cookie(void **state)
{
    (void)state;
    uint8_t request[NTP_PACKET_SIZE];
    uint8_t expected[NTP_PACKET_SIZE] = {0x23};
    memset(request, 0xff, sizeof request);
    bytes_put_u64(expected + 40, COOKIE);
    ntp_request_encode(request, COOKIE);
    assert_memory_equal(request, expected, sizeof expected);
}

static void captured_exchange_gives_its_offset_and_delay(void **state)
{
    (void)state;
    struct ntp_exchange exchange = usual();
    struct ntp_sample sample;
    assert_int_equal(judge(captured, &exchange, &sample), NTP_GOOD);
    assert_in_range(sample.offset_ns, 2182, 2185); // 2.1835 us fast
    assert_in_range(sample.delay_ns, 25236, 25239);
    assert_int_equal(sample.stratum, 3);
    assert_int_equal(sample.leap, NTP_LEAP_NONE);
    assert_int_equal(ntp_sample_bound_ns(&sample), sample.delay_ns / 2);
}

static void fast_clock_has_a_positive_offset(void **state)
{
    (void)state;
    struct ntp_exchange exchange = usual();
    struct ntp_sample sample;
    exchange.sent.ns += 50 * NS_PER_MS;
    exchange.received.ns += 50 * NS_PER_MS;
    assert_int_equal(judge(captured, &exchange, &sample), NTP_GOOD);
    assert_in_range(sample.offset_ns, 50002182, 50002185);
    exchange.sent.ns -= 100 * NS_PER_MS;
    exchange.received.ns -= 100 * NS_PER_MS;
    assert_int_equal(judge(captured, &exchange, &sample), NTP_GOOD);
    assert_in_range(sample.offset_ns, -49997818, -49997815);
}

static void root_distance_is_part_of_the_bound(void **state)
{
    (void)state;
    struct ntp_exchange exchange = usual();
    struct ntp_sample sample;
    uint8_t reply[NTP_PACKET_SIZE];
    memcpy(reply, captured, sizeof reply);
    bytes_put_u32(reply + 4, 0x00008000); // 0.5 s
    bytes_put_u32(reply + 8, 0x00004000); // 0.25 s
    assert_int_equal(judge(reply, &exchange, &sample), NTP_GOOD);
    assert_int_equal(sample.root_delay_ns, 500 * NS_PER_MS);
    assert_int_equal(sample.root_dispersion_ns, 250 * NS_PER_MS);
    assert_int_equal(ntp_sample_bound_ns(&sample), 500 * NS_PER_MS + sample.delay_ns / 2);
}

struct spoilt {
    enum ntp_answer answer;
    size_t at;
    size_t length;
    const char *bytes;
};

#define ZERO8 "\0\0\0\0\0\0\0\0"

static const struct spoilt spoilt[] = {
    {NTP_FOREIGN, 0, 1, "\x23"},             // mode 3: a request
    {NTP_FOREIGN, 0, 1, "\x25"},             // mode 5: broadcast
    {NTP_FOREIGN, 0, 1, "\x1c"},             // version 3
    {NTP_FOREIGN, 31, 1, "\xc6"},            // origin is not our cookie
    {NTP_FOREIGN, 24, 8, ZERO8},             // no origin at all
    {NTP_UNSYNCHRONISED, 0, 1, "\xe4"},      // LI 3
    {NTP_UNSYNCHRONISED, 1, 1, "\x10"},      // stratum 16
    {NTP_UNSYNCHRONISED, 1, 1, "\0"},        // stratum 0, no kiss code
    {NTP_INSANE, 32, 8, ZERO8},              // no T2
    {NTP_INSANE, 40, 8, ZERO8},              // no T3
    {NTP_INSANE, 32, 4, "\xee\xad\x56\x0d"}, // T2 after T3
    {NTP_INSANE, 16, 4, "\xee\xad\x56\x0d"}, // reference time after T3
    {NTP_INSANE, 4, 4, "\x00\x03\x00\x00"},  // root delay 3 s
    {NTP_INSANE, 8, 4, "\x00\x01\x80\x00"},  // root dispersion 1.5 s
    {NTP_INSANE, 4, 8, "\xff\xff\xff\xff\xff\xff\xff\xff"},
};

static void spoilt_replies_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spoilt / sizeof spoilt[0]; i++) {
        struct ntp_exchange exchange = usual();
        struct ntp_sample sample;
        uint8_t reply[NTP_PACKET_SIZE];
        memcpy(reply, captured, sizeof reply);
        memcpy(reply + spoilt[i].at, spoilt[i].bytes, spoilt[i].length);
        enum ntp_answer answer = judge(reply, &exchange, &sample);
        if (answer != spoilt[i].answer) {
            fail_msg("case %zu: %d instead of %d", i, (int)answer, (int)spoilt[i].answer);
        }
    }
}

static void short_replies_are_foreign(void **state)
{
    (void)state;
    struct ntp_exchange exchange = usual();
    struct ntp_sample sample;
    for (size_t length = 0; length < NTP_PACKET_SIZE; length++) {
        assert_int_equal(ntp_reply_judge(captured, length, &exchange, &sample), NTP_FOREIGN);
    }
}

static void forgotten_cookie_accepts_nothing(void **state)
{
    (void)state;
    struct ntp_exchange exchange = usual();
    struct ntp_sample sample;
    uint8_t reply[NTP_PACKET_SIZE];
    memcpy(reply, captured, sizeof reply);
    memset(reply + 24, 0, 8);
    exchange.cookie = 0;
    assert_int_equal(judge(reply, &exchange, &sample), NTP_FOREIGN);
}

static void kiss_codes_are_obeyed_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum ntp_answer answer;
    } kisses[] = {{"RATE", NTP_RATE},
                  {"DENY", NTP_DENY},
                  {"RSTR", NTP_DENY},
                  {"INIT", NTP_UNSYNCHRONISED},
                  {"\0\0\0\0", NTP_UNSYNCHRONISED}};
    for (size_t i = 0; i < sizeof kisses / sizeof kisses[0]; i++) {
        struct ntp_exchange exchange = usual();
        struct ntp_sample sample;
        uint8_t reply[NTP_PACKET_SIZE];
        memcpy(reply, captured, sizeof reply);
        reply[0] = 0xe4;
        reply[1] = 0;
        memcpy(reply + 12, kisses[i].code, 4);
        assert_int_equal(judge(reply, &exchange, &sample), kisses[i].answer);
    }
}

static void exchange_in_which_time_ran_backwards_is_insane(void **state)
{
    (void)state;
    struct ntp_exchange exchange = usual();
    struct ntp_sample sample;
    exchange.received.ns = exchange.sent.ns - 1;
    assert_int_equal(judge(captured, &exchange, &sample), NTP_INSANE);
    exchange.received.ns = exchange.sent.ns + 2 * NS_PER_S; // delay above a second
    assert_int_equal(judge(captured, &exchange, &sample), NTP_INSANE);
}

// A server whose stamps are UNIX_NS .. +10 us, seen by a clock that is OFFSET_NS fast.
static enum ntp_answer meet(int64_t unix_ns, int64_t offset_ns, struct ntp_sample *out)
{
    uint8_t reply[NTP_PACKET_SIZE];
    memcpy(reply, captured, sizeof reply);
    memset(reply + 16, 0, 8);
    uint32_t fraction = (uint32_t)((uint64_t)(unix_ns % NS_PER_S) * 4294967296u / 1000000000u);
    for (size_t at = 32; at <= 40; at += 8) {
        bytes_put_u32(reply + at, (uint32_t)(uint64_t)(unix_ns / NS_PER_S + INT64_C(2208988800)));
        bytes_put_u32(reply + at + 4, fraction);
    }
    struct ntp_exchange exchange = {
        .cookie = COOKIE,
        .sent = {unix_ns + offset_ns - 5000},
        .received = {unix_ns + offset_ns + 5000},
    };
    return judge(reply, &exchange, out);
}

static void eras_and_wrong_clocks_are_unfolded(void **state)
{
    (void)state;
    static const int64_t server_s[] = {
        INT64_C(946684801),  // just after 2000-01-01
        INT64_C(1795348364), // 2026
        INT64_C(2085978495), // the last second of the first era, in 2036
        INT64_C(2085978496), // the first one of the second
        INT64_C(2145916800), // 2038
        INT64_C(4102444800), // 2100
    };
    static const int64_t offset_s[] = {0, 3600, -3600, INT64_C(-1577880000), INT64_C(1577880000)};
    for (size_t i = 0; i < sizeof server_s / sizeof server_s[0]; i++) {
        for (size_t k = 0; k < sizeof offset_s / sizeof offset_s[0]; k++) {
            struct ntp_sample sample;
            int64_t offset_ns = offset_s[k] * NS_PER_S;
            assert_int_equal(meet(server_s[i] * NS_PER_S + 500, offset_ns, &sample), NTP_GOOD);
            assert_in_range(sample.offset_ns - offset_ns + 2, 0, 4);
            assert_in_range(sample.delay_ns, 9998, 10002);
        }
    }
}

static void clock_at_its_epoch_or_its_end_is_measured(void **state)
{
    (void)state;
    struct ntp_sample sample;
    int64_t now_ns = INT64_C(2208988800) * NS_PER_S;                   // 2040
    assert_int_equal(meet(now_ns, -now_ns + 5000, &sample), NTP_GOOD); // our clock says 1970
    assert_in_range(sample.offset_ns + now_ns - 5000 + 2, 0, 4);
    struct ntp_exchange end = {.cookie = COOKIE, .sent = {INT64_MIN}, .received = {INT64_MAX}};
    assert_int_equal(judge(captured, &end, &sample), NTP_INSANE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_tells_nothing_but_its_cookie),
        cmocka_unit_test(captured_exchange_gives_its_offset_and_delay),
        cmocka_unit_test(fast_clock_has_a_positive_offset),
        cmocka_unit_test(root_distance_is_part_of_the_bound),
        cmocka_unit_test(spoilt_replies_are_told_apart),
        cmocka_unit_test(short_replies_are_foreign),
        cmocka_unit_test(forgotten_cookie_accepts_nothing),
        cmocka_unit_test(kiss_codes_are_obeyed_by_name),
        cmocka_unit_test(exchange_in_which_time_ran_backwards_is_insane),
        cmocka_unit_test(eras_and_wrong_clocks_are_unfolded),
        cmocka_unit_test(clock_at_its_epoch_or_its_end_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
