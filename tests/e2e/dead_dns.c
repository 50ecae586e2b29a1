/*
 * LD_PRELOAD: DNS is dead. Each question takes DEAD_DNS_S seconds and then fails, as where the name
 * servers do not answer.
 */
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    const char *seconds = getenv("DEAD_DNS_S");
    (void)node;
    (void)service;
    (void)hints;
    *result = NULL;
    sleep(seconds != NULL ? (unsigned)atoi(seconds) : 20);
    return EAI_AGAIN;
}
