/*
 * The kernel's own state of the clock, by adjtimex: always there, needs no privilege.
 *
 * It tells whether somebody steers the clock and how stale that is, and under ntpd or
 * systemd-timesyncd what is left to correct; under chronyd never an offset. A read is one system
 * call, a report is another.
 */
#ifndef TIMESOURCE_KERNEL_H
#define TIMESOURCE_KERNEL_H

#include "core/timesource.h"

/* 0 or -ENOMEM. */
int kernel_open(struct timesource **source);

/*
 * Judges STATE; pure. The rules, from how each daemon leaves the kernel:
 *
 *   UNSYNC clear, maxerror < 16 s            synchronised
 *   UNSYNC set,   maxerror < 16 s            synchronised by a chronyd without `rtcsync`
 *   UNSYNC set,   maxerror = 16 s, PLL set   unknown: busybox ntpd looks like this while it works
 *   UNSYNC set,   maxerror = 16 s, PLL clear not synchronised
 *
 * The age is an upper bound: maxerror grows by 500 us each second from the daemon's last update.
 */
void kernel_judge(const struct report_kernel *state, struct reading *out);

#endif
