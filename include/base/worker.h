/*
 * Starts a named thread that leaves every signal to main.
 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include <pthread.h>

/* NAME: at most 15 characters, shown by ps and gdb. 0 or -errno. */
int worker_start(pthread_t *thread, const char *name, void *(*body)(void *), void *arg);

#endif
