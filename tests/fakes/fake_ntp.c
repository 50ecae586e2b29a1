#include "fake_ntp.h"

#include "base/bytes.h"
#include "base/nstime.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET       48
#define UNIX_EPOCH_S INT64_C(2208988800)

struct fake_ntp {
    int socket;
    int stop;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; // guards the rest
    struct fake_ntp_manner manner;
    uint32_t asked;
};

static void put_time(uint8_t *p, int64_t unix_ns)
{
    struct timespec ts = nstime_to_timespec(unix_ns);
    bytes_put_u32(p, (uint32_t)(uint64_t)(ts.tv_sec + UNIX_EPOCH_S));
    bytes_put_u32(p + 4, (uint32_t)(((uint64_t)ts.tv_nsec << 32) / (uint64_t)NS_PER_S));
}

static void answer(struct fake_ntp *fake, const uint8_t *request, const struct sockaddr_in *to)
{
    const struct fake_ntp_manner *m = &fake->manner;
    int64_t now_ns = wall_now().ns + m->ahead_ns;
    uint8_t reply[PACKET] = {0};
    reply[0] = (uint8_t)(m->leap << 6 | 4 << 3 | 4);
    reply[1] = m->stratum;
    memcpy(reply + 12, m->reference_id, 4);
    memcpy(reply + 24, request + 40, 8);
    put_time(reply + 16, now_ns - NS_PER_S);
    put_time(reply + 32, now_ns);
    put_time(reply + 40, now_ns);
    int foreign = m->foreign_first + (m->wrong_cookie ? 1 : 0);
    for (int i = 0; i < foreign; i++) {
        reply[24] ^= 1;
        (void)sendto(fake->socket, reply, sizeof reply, 0, (const struct sockaddr *)to, sizeof *to);
        reply[24] ^= 1;
    }
    if (!m->wrong_cookie) {
        (void)sendto(fake->socket, reply, sizeof reply, 0, (const struct sockaddr *)to, sizeof *to);
    }
}

static void *serve(void *arg)
{
    struct fake_ntp *fake = arg;
    struct pollfd fds[] = {{.fd = fake->socket, .events = POLLIN},
                           {.fd = fake->stop, .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
        uint8_t request[PACKET] = {0};
        struct sockaddr_in from;
        socklen_t from_size = sizeof from;
        ssize_t length = recvfrom(fake->socket, request, sizeof request, 0,
                                  (struct sockaddr *)&from, &from_size);
        pthread_mutex_lock(&fake->lock);
        fake->asked++;
        if (length == PACKET && !fake->manner.silent) {
            answer(fake, request, &from);
        }
        pthread_mutex_unlock(&fake->lock);
    }
    return NULL;
}

static void require(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

struct fake_ntp *fake_ntp_start(void)
{
    struct fake_ntp *fake = calloc(1, sizeof *fake);
    require(fake != NULL, "calloc");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t here_size = sizeof here;
    pthread_mutex_init(&fake->lock, NULL);
    fake->manner = (struct fake_ntp_manner){.stratum = 2, .reference_id = "\xc0\0\2\1"};
    fake->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    fake->stop = eventfd(0, EFD_CLOEXEC);
    require(fake->socket >= 0 && fake->stop >= 0, "socket");
    require(bind(fake->socket, (struct sockaddr *)&here, sizeof here) == 0, "bind");
    require(getsockname(fake->socket, (struct sockaddr *)&here, &here_size) == 0, "getsockname");
    fake->port = ntohs(here.sin_port);
    require(pthread_create(&fake->thread, NULL, serve, fake) == 0, "pthread_create");
    return fake;
}

void fake_ntp_stop(struct fake_ntp *fake)
{
    uint64_t one = 1;
    require(write(fake->stop, &one, sizeof one) == (ssize_t)sizeof one, "write");
    pthread_join(fake->thread, NULL);
    close(fake->socket);
    close(fake->stop);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

uint16_t fake_ntp_port(const struct fake_ntp *fake)
{
    return fake->port;
}

void fake_ntp_behave(struct fake_ntp *fake, const struct fake_ntp_manner *manner)
{
    pthread_mutex_lock(&fake->lock);
    fake->manner = *manner;
    pthread_mutex_unlock(&fake->lock);
}

uint32_t fake_ntp_asked(struct fake_ntp *fake)
{
    pthread_mutex_lock(&fake->lock);
    uint32_t asked = fake->asked;
    pthread_mutex_unlock(&fake->lock);
    return asked;
}
