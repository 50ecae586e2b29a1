#include "canned_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

// True when FD may be read; false when the server is told to stop.
static bool wait_readable(const struct canned_server *server, int fd)
{
    struct pollfd polled[2] = {{.fd = fd, .events = POLLIN},
                               {.fd = server->stop_pipe[0], .events = POLLIN}};
    while (poll(polled, 2, -1) < 0 && errno == EINTR) {
    }
    return polled[1].revents == 0;
}

static bool read_head(const struct canned_server *server, int fd, struct canned_request *request)
{
    size_t len = 0;
    memset(request, 0, sizeof *request);
    while (len < sizeof request->head - 1) {
        if (!wait_readable(server, fd) || read(fd, request->head + len, 1) != 1) {
            return false;
        }
        len++;
        if (len >= 4 && memcmp(request->head + len - 4, "\r\n\r\n", 4) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t content_length(const struct canned_request *request)
{
    const char *line = strcasestr(request->head, "\r\nContent-Length:");
    return line != NULL ? strtoull(line + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

static bool read_body(const struct canned_server *server, int fd, struct canned_request *request)
{
    uint64_t length = content_length(request);
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (strcasestr(request->head, "\r\nExpect: 100-continue") != NULL &&
        send(fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0) {
        return false;
    }
    while (request->body_bytes < length) {
        char block[16384];
        if (!wait_readable(server, fd)) {
            return false;
        }
        ssize_t got = read(fd, block, sizeof block);
        if (got <= 0) {
            return false;
        }
        for (ssize_t i = 0; i < got; i++) {
            if (request->body_bytes + (uint64_t)i < sizeof request->body) {
                request->body[request->body_bytes + (uint64_t)i] = block[i];
            }
        }
        request->body_bytes += (uint64_t)got;
    }
    return true;
}

static void send_noise(int fd, uint32_t bytes)
{
    char block[1024];
    memset(block, 'n', sizeof block);
    for (uint32_t sent = 0; sent < bytes; sent += sizeof block) {
        if (send(fd, block, sizeof block, MSG_NOSIGNAL) < 0) {
            return;
        }
    }
}

// True when the connection stays for another request.
static bool answer(const struct canned_server *server, int fd, const struct canned_reply *reply)
{
    if (reply->bytes != NULL && send(fd, reply->bytes, strlen(reply->bytes), MSG_NOSIGNAL) < 0) {
        return false;
    }
    send_noise(fd, reply->flood);
    if (reply->hang) {
        wait_readable(server, server->stop_pipe[0]);
    }
    if (reply->reset) {
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return reply->keep;
}

static void serve_connection(struct canned_server *server, int fd)
{
    bool open = true;
    while (open) {
        size_t index = atomic_load(&server->seen_count);
        struct canned_request *request = &server->seen[index < CANNED_MAX ? index : CANNED_MAX - 1];
        size_t last = server->reply_count - 1;
        const struct canned_reply *reply = &server->replies[index < last ? index : last];
        if (reply->greet) {
            answer(server, fd, reply);
        }
        if (reply->greet || !read_head(server, fd, request)) {
            return;
        }
        bool whole = reply->early || read_body(server, fd, request);
        atomic_fetch_add(&server->seen_count, 1);
        open = whole && answer(server, fd, reply);
    }
}

static void *serve(void *user)
{
    struct canned_server *server = user;
    while (wait_readable(server, server->listener)) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            atomic_fetch_add(&server->connections, 1);
            serve_connection(server, fd);
            close(fd);
        }
    }
    return NULL;
}

int canned_start(struct canned_server *server, const struct canned_reply *replies, size_t count)
{
    memset(server, 0, sizeof *server);
    server->replies = replies;
    server->reply_count = count;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listener, 8) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &len) != 0 ||
        pipe(server->stop_pipe) != 0) {
        return -errno;
    }
    server->port = ntohs(address.sin_port);
    return -pthread_create(&server->thread, NULL, serve, server);
}

void canned_stop(struct canned_server *server)
{
    close(server->stop_pipe[1]);
    pthread_join(server->thread, NULL);
    close(server->stop_pipe[0]);
    close(server->listener);
}
