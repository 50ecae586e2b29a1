/*
 * The time source that asks chronyd in its own protocol: about 10 us, four system calls, no fork.
 *
 * Each read asks for tracking. The list of sources is asked for at the first contact, when the
 * daemon's state changes, and every 10 s: the poll interval of the selected source decides what
 * "silent for too long" means. One thread at a time.
 */
#ifndef TIMESOURCE_CHRONYD_H
#define TIMESOURCE_CHRONYD_H

#include "core/timesource.h"

/* ADDRESS is "host:port", numeric IPv4 or [IPv6]. 0, -EINVAL (malformed) or -ENOMEM. */
int chronyd_open(struct timesource **source, const char *address);

#endif
