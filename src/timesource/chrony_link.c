#include "timesource/chrony_link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

// More late replies than a default receive buffer holds; a flood beyond it must not hold us up.
#define DRAIN_MAX 4096

static bool is_ipv4_loopback(const struct udp_address *address)
{
    return address->socket.any.sa_family == AF_INET &&
           address->socket.v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

int chrony_link_init(struct chrony_link *link, const char *address)
{
    *link = (struct chrony_link){.fd = -1, .answered = -1, .address_count = 1};
    int error = udp_address_parse(&link->addresses[0], address, 0);
    if (error != 0) {
        return error;
    }
    if (is_ipv4_loopback(&link->addresses[0])) {
        uint16_t port = ntohs(link->addresses[0].socket.v4.sin_port);
        if (udp_address_from_host(&link->addresses[1], "::1", port) == 0) {
            link->address_count = 2;
        }
    }
    if (getrandom(&link->random_state, sizeof link->random_state, GRND_NONBLOCK) < 0) {
        link->random_state =
            (uint64_t)mono_now().ns; // early in the boot; only to tell replies apart
    }
    return 0;
}

void chrony_link_close(struct chrony_link *link)
{
    if (link->fd >= 0) {
        close(link->fd);
        link->fd = -1;
    }
}

// One step of splitmix64: no system call on the way to a sequence number.
static uint32_t next_sequence(struct chrony_link *link)
{
    uint64_t z = link->random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z ^ z >> 31);
}

static int open_socket(struct chrony_link *link)
{
    if (link->fd >= 0) {
        return 0;
    }
    const struct udp_address *to = &link->addresses[link->current];
    int fd = socket(to->socket.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, &to->socket.any, to->length) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    link->fd = fd;
    return 0;
}

// Reads away what nobody waits for any more, and a pending ECONNREFUSED with it.
static void drain(struct chrony_link *link)
{
    uint8_t stale[CHRONY_REPLY_BUFFER];
    for (int i = 0; i < DRAIN_MAX; i++) {
        if (recv(link->fd, stale, sizeof stale, 0) >= 0) {
            link->rejected++;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        }
    }
}

static int wait_readable(int fd, mono_time until)
{
    for (;;) {
        int64_t left_ns = mono_diff_ns(until, mono_now());
        if (left_ns <= 0) {
            return -ETIMEDOUT;
        }
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        int ready = poll(&pollfd, 1, nstime_to_poll_ms(left_ns));
        if (ready > 0) {
            return 0;
        }
        if (ready < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

// What a received datagram means: 0 good, -EACCES refused, -EAGAIN wait for another.
static int judge(struct chrony_link *link, const uint8_t *reply, size_t length,
                 enum chrony_command command, uint32_t sequence)
{
    uint16_t status = 0;
    switch (chrony_reply_check(reply, length, command, sequence, &status)) {
    case CHRONY_REPLY_GOOD:
        link->replies++;
        link->refusal = 0;
        return 0;
    case CHRONY_REPLY_REFUSED:
        link->refusal = status;
        return -EACCES;
    case CHRONY_REPLY_FOREIGN:
    case CHRONY_REPLY_MALFORMED:
        break;
    }
    link->rejected++;
    return -EAGAIN;
}

static int wait_reply(struct chrony_link *link, enum chrony_command command, uint32_t sequence,
                      mono_time until, uint8_t *reply)
{
    for (;;) {
        int error = wait_readable(link->fd, until);
        if (error != 0) {
            return error;
        }
        ssize_t length = recv(link->fd, reply, CHRONY_REPLY_BUFFER, 0);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue; // the kernel dropped a datagram with a bad checksum after waking us
        }
        if (length < 0) {
            return -errno;
        }
        error = judge(link, reply, (size_t)length, command, sequence);
        if (error != -EAGAIN) {
            return error;
        }
    }
}

// Both attempts carry one sequence: a reply to the first is as good when it comes late.
static int exchange(struct chrony_link *link, enum chrony_command command, uint32_t index,
                    mono_time deadline, uint8_t *reply)
{
    uint8_t request[CHRONY_REQUEST_MAX];
    uint32_t sequence = next_sequence(link);
    size_t length = chrony_request_encode(request, command, index, sequence);
    mono_time now = mono_now();
    mono_time half = mono_add(now, mono_diff_ns(deadline, now) / 2);
    for (int attempt = 0;; attempt++) {
        if (send(link->fd, request, length, 0) < 0 && errno != EAGAIN) {
            return -errno;
        }
        int error = wait_reply(link, command, sequence, attempt == 0 ? half : deadline, reply);
        if (error != -ETIMEDOUT || attempt == 1) {
            return error;
        }
    }
}

// The other address is worth a try where nobody is, or where silence is all we ever heard.
static void move_on(struct chrony_link *link, int error)
{
    if (error == -EACCES || (error == -ETIMEDOUT && link->answered >= 0)) {
        return;
    }
    if (error != -ECONNREFUSED || link->address_count > 1) {
        chrony_link_close(link);
    }
    link->current = (link->current + 1) % link->address_count;
}

/* ---- questions sent ahead ---- */

void chrony_link_forget_ahead(struct chrony_link *link)
{
    link->ahead_count = 0;
    link->ahead_next = 0;
}

void chrony_link_ask_ahead(struct chrony_link *link, enum chrony_command command, uint32_t index)
{
    if (link->ahead_count == CHRONY_AHEAD_MAX || open_socket(link) != 0) {
        return;
    }
    uint8_t request[CHRONY_REQUEST_MAX];
    struct chrony_question question = {command, index, next_sequence(link)};
    size_t length = chrony_request_encode(request, command, index, question.sequence);
    if (send(link->fd, request, length, 0) == (ssize_t)length) {
        link->ahead[link->ahead_count++] = question;
    }
}

// The next reply in the socket that answers this very question; -EAGAIN when there is none.
static int take_reply(struct chrony_link *link, const struct chrony_question *question,
                      uint8_t *reply)
{
    for (int i = 0; i < DRAIN_MAX; i++) {
        ssize_t length = recv(link->fd, reply, CHRONY_REPLY_BUFFER, 0);
        if (length < 0 && errno != EINTR) {
            return -EAGAIN; // whatever it is, the exchange that follows will meet it again
        }
        int error = length < 0
                        ? -EAGAIN
                        : judge(link, reply, (size_t)length, question->command, question->sequence);
        if (error != -EAGAIN) {
            return error;
        }
    }
    return -EAGAIN;
}

// -EAGAIN: not asked ahead, asked in another order, or not answered. Then none of them counts.
static int take_ahead(struct chrony_link *link, enum chrony_command command, uint32_t index,
                      uint8_t *reply)
{
    int error = -EAGAIN;
    if (link->ahead_next < link->ahead_count) {
        const struct chrony_question *question = &link->ahead[link->ahead_next++];
        if (question->command == command && question->index == index) {
            error = take_reply(link, question, reply);
        }
    }
    if (error != 0) {
        chrony_link_forget_ahead(link);
    }
    return error;
}

int chrony_link_ask(struct chrony_link *link, enum chrony_command command, uint32_t index,
                    mono_time deadline, uint8_t *reply)
{
    int error = take_ahead(link, command, index, reply);
    link->was_ahead = error == 0;
    if (error == 0) {
        link->answered = link->current;
    }
    if (error != -EAGAIN) {
        return error;
    }
    for (int i = 0; i < link->address_count; i++) {
        error = open_socket(link);
        if (error == 0) {
            drain(link);
            error = exchange(link, command, index, deadline, reply);
        }
        if (error == 0) {
            link->answered = link->current;
            return 0;
        }
        move_on(link, error);
        if (error == -EACCES || error == -ETIMEDOUT) {
            break;
        }
    }
    if (error == -ETIMEDOUT) {
        link->missing++;
    }
    return error;
}
