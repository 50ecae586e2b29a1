/*
 * The conversation with chronyd: one connected, non-blocking UDP socket, kept open.
 *
 * Connected, so that a daemon that is not there shows at once as ECONNREFUSED; non-blocking and
 * with a deadline, so that one that hangs costs no more than we grant. After a hang hundreds of
 * late replies wait in the socket: they are drained before each exchange, and a reply counts only
 * if it answers this very request. One thread.
 */
#ifndef TIMESOURCE_CHRONY_LINK_H
#define TIMESOURCE_CHRONY_LINK_H

#include "base/nstime.h"
#include "core/report.h"
#include "timesource/chrony_wire.h"
#include "timesource/udp_address.h"

#include <stdbool.h>
#include <stdint.h>

/* Tracking, and the whole list of as many sources as a report has room for. */
#define CHRONY_AHEAD_MAX (1 + 2 + 2 * REPORT_SOURCES_MAX)

struct chrony_question {
    enum chrony_command command;
    uint32_t index;
    uint32_t sequence;
};

struct chrony_link {
    struct udp_address addresses[2]; /* of the same daemon, asked in turn */
    int address_count;
    int current;  /* the one FD is connected to */
    int answered; /* the one that answered last; -1 = none yet */
    int fd;       /* -1 = closed: after an error, until the next exchange */
    uint64_t random_state;
    uint32_t replies;
    uint32_t rejected; /* short, foreign, late, malformed */
    uint32_t missing;  /* asked, nothing came by the deadline */
    uint32_t refusal;  /* the status of the newest refusal; 0 after a good reply */
    struct chrony_question ahead[CHRONY_AHEAD_MAX]; /* sent and not yet asked for */
    int ahead_count;
    int ahead_next;
    bool was_ahead; /* the newest reply is to a question sent ahead */
};

/*
 * ADDRESS is "host:port", numeric. 127.0.0.1 stands for the loopback of both families: [::1] is
 * tried where it refuses. 0 or -EINVAL; opens nothing yet.
 */
int chrony_link_init(struct chrony_link *link, const char *address);
void chrony_link_close(struct chrony_link *link);

/*
 * Sends a question whose answer chrony_link_ask will be asked for later, in the same order. It only
 * saves the wait: what goes wrong here, the asking makes good. Forget those sent before when other
 * questions follow.
 */
void chrony_link_ask_ahead(struct chrony_link *link, enum chrony_command command, uint32_t index);
void chrony_link_forget_ahead(struct chrony_link *link);

/*
 * The answer to a question sent ahead, when it is there. Else one exchange, by DEADLINE: drains,
 * sends, waits, and sends once more at half time. REPLY has
 * CHRONY_REPLY_BUFFER bytes. 0: REPLY is a good answer. -ETIMEDOUT: silence. -ECONNREFUSED: nobody
 * there. -EACCES: the daemon refuses, link->refusal says why. Else -errno of the network.
 */
int chrony_link_ask(struct chrony_link *link, enum chrony_command command, uint32_t index,
                    mono_time deadline, uint8_t *reply);

#endif
