/*
 * DESIGN
 *
 * One short-lived detached thread per question. It writes the answer into the question and then
 * swaps the question's state; the owner polls that state. Detached, because nobody may wait for it:
 * its life is bounded by the resolver's own timeouts. glibc's getaddrinfo_a would be such a thread,
 * too, but says nothing about which writes its poll makes visible.
 */
#include "timesource/ntp_resolver.h"

#include "base/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum question_state { RUNNING, ANSWERED, ABANDONED };

struct ntp_question {
    _Atomic int state; // enum question_state
    int error;         // the thread's until ANSWERED
    struct udp_address address;
    uint16_t port;
    char host[UDP_HOST_MAX];
};

static int look_up(struct ntp_question *question)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", question->port);
    if (getaddrinfo(question->host, service, &hints, &found) != 0) {
        return -EHOSTUNREACH;
    }
    int error = -EHOSTUNREACH;
    if (found != NULL && found->ai_addrlen <= sizeof question->address.socket) {
        memcpy(&question->address.socket, found->ai_addr, found->ai_addrlen);
        question->address.length = found->ai_addrlen;
        error = 0;
    }
    freeaddrinfo(found);
    return error;
}

static void *answer(void *arg)
{
    struct ntp_question *question = arg;
    question->error = look_up(question);
    int before = RUNNING;
    // Release: the owner that sees ANSWERED also sees the address. Acquire for the other outcome:
    // the owner's last access came before its ABANDONED, and we may free.
    if (!atomic_compare_exchange_strong_explicit(&question->state, &before, ANSWERED,
                                                 memory_order_release, memory_order_acquire)) {
        free(question);
    }
    return NULL;
}

int ntp_resolver_ask(struct ntp_resolver *resolver, const char *host, uint16_t port)
{
    struct ntp_question *question = calloc(1, sizeof *question);
    pthread_t thread;
    if (question == NULL) {
        return -ENOMEM;
    }
    snprintf(question->host, sizeof question->host, "%s", host);
    question->port = port;
    int error = worker_start(&thread, "resolver", answer, question);
    if (error != 0) {
        free(question);
        return error;
    }
    pthread_detach(thread);
    resolver->question = question;
    return 0;
}

int ntp_resolver_poll(struct ntp_resolver *resolver, struct udp_address *out)
{
    struct ntp_question *question = resolver->question;
    // Acquire pairs with the thread's release: see there.
    if (question == NULL ||
        atomic_load_explicit(&question->state, memory_order_acquire) == RUNNING) {
        return -EAGAIN;
    }
    int error = question->error;
    if (error == 0) {
        *out = question->address;
    }
    resolver->question = NULL;
    free(question);
    return error;
}

void ntp_resolver_close(struct ntp_resolver *resolver)
{
    struct ntp_question *question = resolver->question;
    int before = RUNNING;
    resolver->question = NULL;
    if (question == NULL) {
        return;
    }
    // Acquire when it was ANSWERED: the thread's writes came before our free. Release when it runs
    // on: our last access came before its free.
    if (!atomic_compare_exchange_strong_explicit(&question->state, &before, ABANDONED,
                                                 memory_order_release, memory_order_acquire)) {
        free(question);
    }
}
