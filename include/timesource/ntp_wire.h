/*
 * One SNTP exchange (RFC 4330, RFC 5905): 48 bytes out, 48 bytes in. Pure functions over bytes.
 *
 *   LI VN mode | stratum | poll | precision | root delay | root dispersion | reference ID |
 *   reference time | origin | receive T2 | transmit T3          (big-endian, 8-byte time stamps)
 *
 *   T1 we send, T2 it receives, T3 it sends, T4 we receive:
 *   true time minus ours = ((T2 - T1) + (T3 - T4)) / 2,  delay = (T4 - T1) - (T3 - T2)
 *
 * The request tells nothing: its transmit field is a random cookie that the server must return.
 * Offsets here have our sign: positive = our clock is fast.
 */
#ifndef TIMESOURCE_NTP_WIRE_H
#define TIMESOURCE_NTP_WIRE_H

#include "base/nstime.h"

#include <stddef.h>
#include <stdint.h>

#define NTP_PACKET_SIZE 48

/*
 * Time stamps have 32 bits of seconds and wrap in 2036. They are taken to lie in the 136 years from
 * here (2000-01-01), wherever our own clock may be.
 */
#define NTP_EARLIEST_S INT64_C(946684800)

enum ntp_leap { NTP_LEAP_NONE, NTP_LEAP_INSERT, NTP_LEAP_DELETE, NTP_LEAP_UNSYNCHRONISED };

enum ntp_answer {
    NTP_GOOD,
    NTP_FOREIGN,        /* not an answer to this request: ignore it and go on waiting */
    NTP_RATE,           /* kiss of death: ask much less often */
    NTP_DENY,           /* kiss of death (DENY, RSTR): never ask again */
    NTP_UNSYNCHRONISED, /* the server says so itself */
    NTP_INSANE,         /* fails a sanity test: no use */
};

struct ntp_exchange {
    uint64_t cookie;    /* of the request; never 0 */
    wall_time sent;     /* T1 */
    wall_time received; /* T4 */
};

struct ntp_sample {
    int64_t offset_ns; /* + our clock is fast */
    int64_t delay_ns;  /* never negative */
    int64_t root_delay_ns;
    int64_t root_dispersion_ns;
    uint16_t stratum;
    uint16_t leap; /* enum ntp_leap */
};

/* Writes a request of NTP_PACKET_SIZE bytes. */
void ntp_request_encode(uint8_t *out, uint64_t cookie);

/* Judges LEN received bytes; fills OUT when NTP_GOOD. */
enum ntp_answer ntp_reply_judge(const uint8_t *reply, size_t len,
                                const struct ntp_exchange *exchange, struct ntp_sample *out);

/* Half the delay plus the server's own distance: the true offset lies within. */
int64_t ntp_sample_bound_ns(const struct ntp_sample *sample);

#endif
