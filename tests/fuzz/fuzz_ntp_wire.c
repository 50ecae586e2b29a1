/*
 * Any datagram as the answer of an NTP server, at any time of our clock.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "timesource/ntp_wire.h"

#include <string.h>

#define ORIGIN_AT 24

// Our clock stands where the server's does, or nowhere near.
static void judge(const uint8_t *reply, size_t size, int64_t sent_ns, int64_t took_ns)
{
    struct ntp_sample sample;
    struct ntp_exchange exchange = {.sent = {sent_ns}};
    if (__builtin_add_overflow(sent_ns, took_ns, &exchange.received.ns)) {
        return;
    }
    exchange.cookie = size >= NTP_PACKET_SIZE ? bytes_get_u64(reply + ORIGIN_AT) : 1;
    if (ntp_reply_judge(reply, size, &exchange, &sample) != NTP_GOOD) {
        return;
    }
    FUZZ_REQUIRE(sample.delay_ns >= 0 && sample.delay_ns <= NS_PER_S);
    FUZZ_REQUIRE(sample.stratum >= 1 && sample.stratum <= 15);
    FUZZ_REQUIRE(sample.leap < NTP_LEAP_UNSYNCHRONISED);
    FUZZ_REQUIRE(ntp_sample_bound_ns(&sample) >= 0);
    FUZZ_REQUIRE(ntp_sample_bound_ns(&sample) < 3 * NS_PER_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t times_ns[] = {0, INT64_C(1795348364328126006), INT64_MIN, INT64_MAX - 100};
    for (size_t i = 0; i < sizeof times_ns / sizeof times_ns[0]; i++) {
        judge(data, size, times_ns[i], 52580);
        judge(data, size, times_ns[i], -5);
        judge(data, size, times_ns[i], 3 * NS_PER_S);
    }
    return 0;
}
