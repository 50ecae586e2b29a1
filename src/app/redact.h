/*
 * What of a text from a person may be shown again. Private to this layer.
 */
#ifndef APP_REDACT_H
#define APP_REDACT_H

#include <stddef.h>

#define REDACT_MAX 200

/*
 * TEXT as it may be printed: of what may be an address, a user name, a password and all from the
 * query on become asterisks, wherever else the address is wrong. Unprintable bytes become dots, and
 * the rest beyond REDACT_MAX is left out.
 */
void redact(char out[REDACT_MAX], const char *text);

#endif
