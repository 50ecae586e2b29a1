/*
 * The time source that asks NTP servers itself: a few packets, no daemon needed.
 *
 * Its read does what is due (never waits) and tells the best server's sample, carried to now. Where
 * a daemon answers, the samples serve to contradict it: a server that is itself wrong looks perfect
 * to the daemon that follows it.
 */
#ifndef TIMESOURCE_SNTP_H
#define TIMESOURCE_SNTP_H

#include "core/timesource.h"

#include <stdbool.h>

/*
 * SERVERS: names or numeric addresses with an optional port, separated by commas or spaces; at most
 * REPORT_PROBES_MAX. 0, -EINVAL when malformed or too many, -ENOMEM. Its read returns -EAGAIN until
 * a server has answered.
 */
int sntp_open(struct timesource **source, const char *servers);

/*
 * True when more servers disagree with the daemon's READING than agree: beyond the sum of both
 * bounds and 1 ms, since the daemon's dispersion is an estimate. Each sample is compared once, when
 * it is new and sharp; that verdict stands until the server's next one. Call it after each read.
 */
bool sntp_contradicts(struct timesource *source, const struct reading *reading);

#endif
