#include "base/worker.h"

#include <signal.h>

int worker_start(pthread_t *thread, const char *name, void *(*body)(void *), void *arg)
{
    // A thread inherits the mask of its creator: block, create, restore.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_setname_np(*thread, name);
    }
    return -error;
}
