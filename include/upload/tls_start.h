/*
 * OpenSSL's own start, at a moment when it may fail.
 *
 * OpenSSL 3 sets itself up once, at its first use. When memory runs short in the middle of that, it
 * stays half made for the life of the process, and later calls, libcurl's among them, crash instead
 * of failing (seen with 3.0). So it is made to start when the program does.
 */
#ifndef UPLOAD_TLS_START_H
#define UPLOAD_TLS_START_H

/*
 * 0 or -ENOMEM, each time the same: a process in which it failed can not use OpenSSL. Any thread,
 * before anything else that uses OpenSSL.
 */
int tls_start(void);

#endif
