#include "fake_chronyd.h"

#include "base/bytes.h"
#include "timesource/chrony_wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMANDS    80
#define SOURCES_MAX 32

struct fake_chronyd {
    int socket;
    int stop;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; // guards the rest
    enum fake_manner manner;
    uint16_t refusal;
    uint8_t tracking[104];
    struct fake_source sources[SOURCES_MAX];
    size_t source_count;
    uint32_t asked[COMMANDS];
};

static void require(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static void put_source_data(const struct fake_source *source, uint8_t *reply)
{
    memcpy(reply + 28, source->address, 4);
    bytes_put_u16(reply + 44, FAMILY_IPV4);
    bytes_put_u16(reply + 48, (uint16_t)source->poll_log2_s);
    bytes_put_u16(reply + 50, 3);
    bytes_put_u16(reply + 52, source->state);
    bytes_put_u16(reply + 58, source->reach);
}

static void put_sourcestats(const struct fake_source *source, uint8_t *reply)
{
    memcpy(reply + 28, source->address, 4);
    memcpy(reply + 32, source->address, 4);
    bytes_put_u16(reply + 48, FAMILY_IPV4);
    bytes_put_u32(reply + 52, 24);
}

// Fills in the data of the reply; its length, or 0 when the fake has no such thing.
static size_t put_data(struct fake_chronyd *fake, const uint8_t *request, uint8_t *reply,
                       uint16_t *code)
{
    uint32_t index = bytes_get_u32(request + 20);
    switch (bytes_get_u16(request + 4)) {
    case CHRONY_TRACKING:
        memcpy(reply, fake->tracking, sizeof fake->tracking);
        *code = 5;
        return 104;
    case CHRONY_N_SOURCES:
        bytes_put_u32(reply + 28, (uint32_t)fake->source_count);
        *code = 2;
        return 32;
    case CHRONY_SOURCE_DATA:
        *code = 3;
        put_source_data(&fake->sources[index % SOURCES_MAX], reply);
        return index < fake->source_count ? 76 : 0;
    case CHRONY_SOURCESTATS:
        *code = 6;
        put_sourcestats(&fake->sources[index % SOURCES_MAX], reply);
        return index < fake->source_count ? 84 : 0;
    case CHRONY_ACTIVITY:
        *code = 12;
        bytes_put_u32(reply + 28, (uint32_t)fake->source_count);
        return 48;
    default:
        return 0;
    }
}

static size_t make_reply(struct fake_chronyd *fake, const uint8_t *request, uint8_t *reply)
{
    uint16_t code = 1;
    uint16_t status = 0;
    memset(reply, 0, CHRONY_REPLY_BUFFER);
    size_t length = put_data(fake, request, reply, &code);
    if (length == 0 || fake->manner == FAKE_REFUSE) {
        length = 28;
        code = 1;
        status = fake->manner == FAKE_REFUSE ? fake->refusal : 4;
    }
    reply[0] = 6;
    reply[1] = 2;
    memcpy(reply + 4, request + 4, 2);
    bytes_put_u16(reply + 6, code);
    bytes_put_u16(reply + 8, status);
    memcpy(reply + 16, request + 8, 4);
    return length;
}

static void answer(struct fake_chronyd *fake, const uint8_t *request, const struct sockaddr_in *to)
{
    uint8_t good[CHRONY_REPLY_BUFFER];
    uint8_t spoilt[CHRONY_REPLY_BUFFER];
    size_t length = make_reply(fake, request, good);
    size_t spoilt_length = length;
    int spoilt_count = 0;
    bool send_good = true;
    memcpy(spoilt, good, sizeof spoilt);
    switch (fake->manner) {
    case FAKE_SHORT:
        length = length > 29 ? length - 1 : length;
        break;
    case FAKE_LONG:
        length += 100;
        break;
    case FAKE_TWICE:
        spoilt_count = 1;
        break;
    case FAKE_WRONG_SEQUENCE:
        spoilt[19] ^= 1;
        spoilt_count = 1;
        break;
    case FAKE_WRONG_COMMAND:
        spoilt[5] ^= 2;
        spoilt_count = 1;
        break;
    case FAKE_WRONG_VERSION:
        good[0] = 7;
        break;
    case FAKE_FLOOD:
        spoilt[16] ^= 1;
        spoilt_count = 100;
        spoilt_length = 28;
        break;
    case FAKE_SILENT:
        send_good = false;
        break;
    case FAKE_SECOND_TRY:
        send_good = fake->asked[bytes_get_u16(request + 4) % COMMANDS] % 2 == 0;
        break;
    case FAKE_ANSWER:
    case FAKE_REFUSE:
        break;
    }
    for (int i = 0; i < spoilt_count; i++) {
        (void)sendto(fake->socket, spoilt, spoilt_length, 0, (const struct sockaddr *)to,
                     sizeof *to);
    }
    if (send_good) {
        (void)sendto(fake->socket, good, length, 0, (const struct sockaddr *)to, sizeof *to);
    }
}

static void *serve(void *arg)
{
    struct fake_chronyd *fake = arg;
    struct pollfd fds[] = {{.fd = fake->socket, .events = POLLIN},
                           {.fd = fake->stop, .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
        uint8_t request[600] = {0};
        struct sockaddr_in from;
        socklen_t from_size = sizeof from;
        ssize_t length = recvfrom(fake->socket, request, sizeof request, 0,
                                  (struct sockaddr *)&from, &from_size);
        if (length < 28) {
            continue;
        }
        pthread_mutex_lock(&fake->lock);
        fake->asked[bytes_get_u16(request + 4) % COMMANDS]++;
        answer(fake, request, &from);
        pthread_mutex_unlock(&fake->lock);
    }
    return NULL;
}

struct fake_chronyd *fake_chronyd_start(uint16_t port, const uint8_t *tracking, size_t size)
{
    struct fake_chronyd *fake = calloc(1, sizeof *fake);
    require(fake != NULL, "calloc");
    struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t here_size = sizeof here;
    pthread_mutex_init(&fake->lock, NULL);
    fake->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    fake->stop = eventfd(0, EFD_CLOEXEC);
    require(fake->socket >= 0 && fake->stop >= 0, "socket");
    require(bind(fake->socket, (struct sockaddr *)&here, sizeof here) == 0, "bind");
    require(getsockname(fake->socket, (struct sockaddr *)&here, &here_size) == 0, "getsockname");
    fake->port = ntohs(here.sin_port);
    fake_chronyd_set_tracking(fake, tracking, size);
    require(pthread_create(&fake->thread, NULL, serve, fake) == 0, "pthread_create");
    return fake;
}

void fake_chronyd_stop(struct fake_chronyd *fake)
{
    uint64_t one = 1;
    require(write(fake->stop, &one, sizeof one) == (ssize_t)sizeof one, "write");
    pthread_join(fake->thread, NULL);
    close(fake->socket);
    close(fake->stop);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

uint16_t fake_chronyd_port(const struct fake_chronyd *fake)
{
    return fake->port;
}

void fake_chronyd_behave(struct fake_chronyd *fake, enum fake_manner manner)
{
    pthread_mutex_lock(&fake->lock);
    fake->manner = manner;
    memset(fake->asked, 0, sizeof fake->asked);
    pthread_mutex_unlock(&fake->lock);
}

void fake_chronyd_refuse(struct fake_chronyd *fake, uint16_t status)
{
    pthread_mutex_lock(&fake->lock);
    fake->manner = FAKE_REFUSE;
    fake->refusal = status;
    pthread_mutex_unlock(&fake->lock);
}

void fake_chronyd_set_tracking(struct fake_chronyd *fake, const uint8_t *tracking, size_t size)
{
    pthread_mutex_lock(&fake->lock);
    memcpy(fake->tracking, tracking, size < sizeof fake->tracking ? size : sizeof fake->tracking);
    pthread_mutex_unlock(&fake->lock);
}

void fake_chronyd_set_sources(struct fake_chronyd *fake, const struct fake_source *sources,
                              size_t count)
{
    pthread_mutex_lock(&fake->lock);
    fake->source_count = count < SOURCES_MAX ? count : SOURCES_MAX;
    memcpy(fake->sources, sources, fake->source_count * sizeof *sources);
    pthread_mutex_unlock(&fake->lock);
}

uint32_t fake_chronyd_asked(struct fake_chronyd *fake, uint16_t command)
{
    pthread_mutex_lock(&fake->lock);
    uint32_t asked = fake->asked[command % COMMANDS];
    pthread_mutex_unlock(&fake->lock);
    return asked;
}
