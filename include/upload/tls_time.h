/*
 * Certificates under a clock that is wrong: at which time they are verified.
 *
 * A camera that wakes in 1970 finds every certificate not valid yet, and no NTP may ever tell it
 * better. Then the latest time known to have passed stands in for its clock. Chain, name and both
 * ends of the validity are checked as always, only at that later time; nothing is ever left
 * unverified. A clock that is ahead has no such remedy.
 *
 * The only file that knows OpenSSL's TLS side. Any thread.
 */
#ifndef UPLOAD_TLS_TIME_H
#define UPLOAD_TLS_TIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Can the time be set? LIBRARY is the TLS library's own name and version: false unless it is
 * OpenSSL, and unless its time_t is ours (on 32-bit ARM a camera's own library may differ).
 */
bool tls_time_usable(const char *library);

/* Makes OpenSSL's SSL_CTX verify at TIME_S, s since the epoch. */
void tls_time_set(void *ssl_ctx, int64_t time_s);

/* Is this verification result "not valid yet" or "expired"? All others are a matter of trust. */
bool tls_time_is_cause(long verify_result);

#endif
