#include "timesource/ntp_wire.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <string.h>

#define VERSION     4
#define MODE_CLIENT 3
#define MODE_SERVER 4

// 1970-01-01 in seconds since 1900-01-01.
#define UNIX_EPOCH_S INT64_C(2208988800)

// Limits of sense: RFC 5905's largest distance, and a delay beyond which nothing is measured.
#define DISTANCE_MAX_NS (1500 * NS_PER_MS)
#define DELAY_MAX_NS    NS_PER_S

// A server that stamps coarsely may show a slightly negative delay.
#define DELAY_SLACK_NS NS_PER_MS

#define STRATUM_UNSYNCHRONISED 16

enum {
    AT_STRATUM = 1,
    AT_ROOT_DELAY = 4,
    AT_ROOT_DISPERSION = 8,
    AT_REFERENCE_ID = 12,
    AT_REFERENCE = 16,
    AT_ORIGIN = 24,
    AT_RECEIVE = 32,
    AT_TRANSMIT = 40,
};

void ntp_request_encode(uint8_t *out, uint64_t cookie)
{
    memset(out, 0, NTP_PACKET_SIZE);
    out[0] = VERSION << 3 | MODE_CLIENT;
    bytes_put_u64(out + AT_TRANSMIT, cookie);
}

// 16.16 fixed seconds.
static int64_t get_short_ns(const uint8_t *p)
{
    return (int64_t)((uint64_t)bytes_get_u32(p) * (uint64_t)NS_PER_S >> 16);
}

// Unfolded into the one era that begins at NTP_EARLIEST_S.
static int64_t get_time_ns(const uint8_t *p)
{
    uint32_t earliest = (uint32_t)(uint64_t)(NTP_EARLIEST_S + UNIX_EPOCH_S);
    uint32_t since_earliest = bytes_get_u32(p) - earliest;
    int64_t fraction_ns = (int64_t)((uint64_t)bytes_get_u32(p + 4) * (uint64_t)NS_PER_S >> 32);
    return (NTP_EARLIEST_S + (int64_t)since_earliest) * NS_PER_S + fraction_ns;
}

static enum ntp_answer judge_kiss(const uint8_t *reply)
{
    const uint8_t *code = reply + AT_REFERENCE_ID;
    if (memcmp(code, "RATE", 4) == 0) {
        return NTP_RATE;
    }
    bool is_final = memcmp(code, "DENY", 4) == 0 || memcmp(code, "RSTR", 4) == 0;
    return is_final ? NTP_DENY : NTP_UNSYNCHRONISED; // an unsynchronised chronyd has stratum 0, too
}

// Half of each first: two differences of a century each do not fit together.
static int64_t mean(int64_t a, int64_t b)
{
    return a / 2 + b / 2 + (a % 2 + b % 2) / 2;
}

// Another clock's time stamp minus ours; saturating is needed for absurd clocks of ours only.
static int64_t difference_ns(int64_t a_ns, int64_t b_ns)
{
    int64_t out;
    if (__builtin_sub_overflow(a_ns, b_ns, &out)) {
        return a_ns > b_ns ? INT64_MAX : INT64_MIN;
    }
    return out;
}

static enum ntp_answer measure(const uint8_t *reply, const struct ntp_exchange *exchange,
                               struct ntp_sample *out)
{
    int64_t t2_ns = get_time_ns(reply + AT_RECEIVE);
    int64_t t3_ns = get_time_ns(reply + AT_TRANSMIT);
    int64_t here_ns = difference_ns(exchange->received.ns, exchange->sent.ns);
    int64_t there_ns = t3_ns - t2_ns;
    int64_t delay_ns = difference_ns(here_ns, there_ns);
    bool has_reference = bytes_get_u64(reply + AT_REFERENCE) != 0;
    if (here_ns < 0 || there_ns < 0 || delay_ns < -DELAY_SLACK_NS || delay_ns > DELAY_MAX_NS) {
        return NTP_INSANE;
    }
    if (has_reference && get_time_ns(reply + AT_REFERENCE) > t3_ns) {
        return NTP_INSANE;
    }
    // Ours minus theirs: what mean() gives with T1..T4 in the other order.
    out->offset_ns =
        mean(difference_ns(exchange->sent.ns, t2_ns), difference_ns(exchange->received.ns, t3_ns));
    out->delay_ns = delay_ns < 0 ? 0 : delay_ns;
    return NTP_GOOD;
}

enum ntp_answer ntp_reply_judge(const uint8_t *reply, size_t len,
                                const struct ntp_exchange *exchange, struct ntp_sample *out)
{
    if (len < NTP_PACKET_SIZE || (reply[0] & 7) != MODE_SERVER || (reply[0] >> 3 & 7) != VERSION ||
        exchange->cookie == 0 || bytes_get_u64(reply + AT_ORIGIN) != exchange->cookie) {
        return NTP_FOREIGN;
    }
    if (reply[AT_STRATUM] == 0) {
        return judge_kiss(reply);
    }
    *out = (struct ntp_sample){
        .root_delay_ns = get_short_ns(reply + AT_ROOT_DELAY),
        .root_dispersion_ns = get_short_ns(reply + AT_ROOT_DISPERSION),
        .stratum = reply[AT_STRATUM],
        .leap = reply[0] >> 6,
    };
    if (out->leap == NTP_LEAP_UNSYNCHRONISED || out->stratum >= STRATUM_UNSYNCHRONISED) {
        return NTP_UNSYNCHRONISED;
    }
    bool has_stamps =
        bytes_get_u64(reply + AT_RECEIVE) != 0 && bytes_get_u64(reply + AT_TRANSMIT) != 0;
    if (!has_stamps || out->root_delay_ns / 2 + out->root_dispersion_ns >= DISTANCE_MAX_NS) {
        return NTP_INSANE;
    }
    return measure(reply, exchange, out);
}

int64_t ntp_sample_bound_ns(const struct ntp_sample *sample)
{
    return sample->delay_ns / 2 + sample->root_delay_ns / 2 + sample->root_dispersion_ns;
}
