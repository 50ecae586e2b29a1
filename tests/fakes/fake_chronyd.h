/*
 * A daemon that speaks chronyd's protocol over real UDP on loopback, and misbehaves to order.
 *
 * It answers TRACKING with the bytes it was given and the four list commands from a small made-up
 * state; each reply echoes command and sequence as the real one does. A thread of its own serves.
 */
#ifndef FAKE_CHRONYD_H
#define FAKE_CHRONYD_H

#include <stddef.h>
#include <stdint.h>

struct fake_chronyd;

enum fake_manner {
    FAKE_ANSWER,
    FAKE_SILENT,         /* takes requests, says nothing */
    FAKE_SHORT,          /* a good header, data cut off */
    FAKE_LONG,           /* as a later version might: more bytes than we know */
    FAKE_TWICE,          /* every reply doubled */
    FAKE_WRONG_SEQUENCE, /* then the right one */
    FAKE_WRONG_COMMAND,  /* then the right one */
    FAKE_WRONG_VERSION,  /* only that */
    FAKE_REFUSE,         /* status of fake_chronyd_refuse */
    FAKE_SECOND_TRY,     /* ignores the first request of each pair */
    FAKE_FLOOD,          /* 100 foreign datagrams before the right one */
};

struct fake_source {
    uint8_t address[4];
    int16_t poll_log2_s;
    uint16_t state;
    uint16_t reach;
};

/* On 127.0.0.1 and PORT (0 = a free one), FAKE_ANSWER. Aborts when the machine can not. */
struct fake_chronyd *fake_chronyd_start(uint16_t port, const uint8_t *tracking, size_t size);
void fake_chronyd_stop(struct fake_chronyd *fake);

uint16_t fake_chronyd_port(const struct fake_chronyd *fake);
void fake_chronyd_behave(struct fake_chronyd *fake, enum fake_manner manner);
void fake_chronyd_refuse(struct fake_chronyd *fake, uint16_t status);
void fake_chronyd_set_tracking(struct fake_chronyd *fake, const uint8_t *tracking, size_t size);
void fake_chronyd_set_sources(struct fake_chronyd *fake, const struct fake_source *sources,
                              size_t count);

/* Requests of COMMAND received so far. */
uint32_t fake_chronyd_asked(struct fake_chronyd *fake, uint16_t command);

#endif
