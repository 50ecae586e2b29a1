/*
 * A host name to an address without ever waiting: the question runs in a helper thread.
 *
 * The C library's resolver has no deadline that we could set; it may take half a minute where DNS
 * is dead, and it can not be cancelled. So the thread owns its question until it has an answer, and
 * an owner that loses interest leaves it alone: whoever comes last frees. At most one question per
 * resolver runs. One owner thread.
 */
#ifndef TIMESOURCE_NTP_RESOLVER_H
#define TIMESOURCE_NTP_RESOLVER_H

#include "timesource/udp_address.h"

struct ntp_question;

struct ntp_resolver {
    struct ntp_question *question; /* NULL = none runs */
};

/* Starts the question for HOST. 0, -ENOMEM or another -errno when no thread could start. */
int ntp_resolver_ask(struct ntp_resolver *resolver, const char *host, uint16_t port);

/*
 * 0: *OUT is the first address. -EAGAIN: not yet. -EHOSTUNREACH: the name has none, or DNS is dead.
 * After any answer but -EAGAIN the resolver is free for the next question.
 */
int ntp_resolver_poll(struct ntp_resolver *resolver, struct udp_address *out);

/* Returns at once; a question that still runs is freed by its thread. */
void ntp_resolver_close(struct ntp_resolver *resolver);

#endif
