/*
 * An NTP server over real UDP on loopback, wrong to order. A thread of its own serves.
 */
#ifndef FAKE_NTP_H
#define FAKE_NTP_H

#include <stdbool.h>
#include <stdint.h>

struct fake_ntp;

struct fake_ntp_manner {
    int64_t ahead_ns; /* of this machine's clock */
    uint8_t leap;
    uint8_t stratum;
    const char *reference_id; /* 4 bytes */
    bool silent;
    bool wrong_cookie; /* instead of the right one */
    int foreign_first; /* replies with a wrong cookie before the right one */
};

/* On 127.0.0.1 and a free port: right, stratum 2. Aborts when the machine can not. */
struct fake_ntp *fake_ntp_start(void);
void fake_ntp_stop(struct fake_ntp *fake);

uint16_t fake_ntp_port(const struct fake_ntp *fake);
void fake_ntp_behave(struct fake_ntp *fake, const struct fake_ntp_manner *manner);

/* Requests received so far. */
uint32_t fake_ntp_asked(struct fake_ntp *fake);

#endif
