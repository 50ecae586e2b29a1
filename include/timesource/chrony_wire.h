/*
 * chronyd's command protocol, version 6: requests out, replies in. Pure functions over bytes.
 *
 * Layout (all integers big-endian, packed):
 *
 *   request:  version type 0 0 | command attempt | sequence | pad pad | data | zeros up to the
 *             length of the successful reply (a daemon answers nothing shorter)
 *   reply:    version type 0 0 | command code | status pad | pad pad | sequence | pad pad | data
 *
 * The layouts are the same in chrony 2.4 to 4.8; they were taken from captured packets, which are
 * the test vectors. No field of a reply may be read before chrony_reply_check has accepted it.
 */
#ifndef TIMESOURCE_CHRONY_WIRE_H
#define TIMESOURCE_CHRONY_WIRE_H

#include "core/report.h"

#include <stddef.h>
#include <stdint.h>

#define CHRONY_REQUEST_MAX 104
/* Receive into this much: a longer reply of a later version is accepted, its tail ignored. */
#define CHRONY_REPLY_BUFFER 512

enum chrony_command {
    CHRONY_N_SOURCES = 14,
    CHRONY_SOURCE_DATA = 15,
    CHRONY_TRACKING = 33,
    CHRONY_SOURCESTATS = 34,
    CHRONY_ACTIVITY = 44,
};

/* Status codes told apart from silence. */
enum chrony_status {
    CHRONY_SUCCESS = 0,
    CHRONY_UNAUTHORISED = 2,
    CHRONY_BAD_VERSION = 18,
    CHRONY_BAD_LENGTH = 19,
};

enum chrony_reply {
    CHRONY_REPLY_GOOD,      /* may be decoded */
    CHRONY_REPLY_FOREIGN,   /* not an answer to this request: ignore it and go on waiting */
    CHRONY_REPLY_REFUSED,   /* an answer, and it is no; *status says why */
    CHRONY_REPLY_MALFORMED, /* says success, but is too short or of another kind */
};

/*
 * Writes a request to OUT (CHRONY_REQUEST_MAX bytes) and returns the length to send. INDEX counts
 * sources from 0; commands without one ignore it.
 */
size_t chrony_request_encode(uint8_t *out, enum chrony_command command, uint32_t index,
                             uint32_t sequence);

/* Judges LEN received bytes against the request they should answer. *STATUS is set if REFUSED. */
enum chrony_reply chrony_reply_check(const uint8_t *reply, size_t len, enum chrony_command command,
                                     uint32_t sequence, uint16_t *status);

/* The following read an accepted reply of their command. Every bit pattern has a result. */
void chrony_decode_tracking(const uint8_t *reply, struct report_tracking *out);
uint32_t chrony_decode_source_count(const uint8_t *reply);
void chrony_decode_source_data(const uint8_t *reply, struct report_source *out);
/*
 * Adds to what chrony_decode_source_data has left in OUT; the daemon may renumber its sources in
 * between, so statistics of another source leave stats_valid 0.
 */
void chrony_decode_sourcestats(const uint8_t *reply, struct report_source *out);
void chrony_decode_activity(const uint8_t *reply, struct report_activity *out);

/*
 * chrony's 32-bit float: 7 bits of signed exponent e, 25 bits of signed coefficient c,
 * value = c * 2^(e - 25). There is no infinity and no NaN; a double holds every value exactly.
 */
double chrony_float_decode(uint32_t word);

#endif
