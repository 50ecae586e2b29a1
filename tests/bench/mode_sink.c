/*
 * A server that takes any PUT, reads its body away and says that it is stored: what is measured is
 * the client. One connection after the other; with a certificate it speaks TLS. Ends with SIGTERM.
 */
#include "bench.h"
#include "modes.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_MAX  16384
#define BUFFER_SIZE (1u << 20)

struct peer {
    int fd;
    SSL *tls; /* NULL: plain */
};

static char buffer[BUFFER_SIZE];

static ssize_t take(struct peer *peer, char *data, size_t size)
{
    return peer->tls != NULL ? SSL_read(peer->tls, data, (int)size) : recv(peer->fd, data, size, 0);
}

static bool give(struct peer *peer, const char *text)
{
    size_t size = strlen(text);
    ssize_t n = peer->tls != NULL ? SSL_write(peer->tls, text, (int)size)
                                  : send(peer->fd, text, size, MSG_NOSIGNAL);
    return n == (ssize_t)size;
}

// One request: header, body, answer. False: the connection is over.
static bool serve_request(struct peer *peer)
{
    size_t used = 0;
    char *end = NULL;
    while (end == NULL && used < HEADER_MAX) {
        ssize_t n = take(peer, buffer + used, HEADER_MAX - used);
        if (n <= 0) {
            return false;
        }
        used += (size_t)n;
        buffer[used] = '\0';
        end = strstr(buffer, "\r\n\r\n");
    }
    const char *length = strcasestr(buffer, "content-length:");
    if (end == NULL || length == NULL) {
        return false;
    }
    uint64_t left = strtoull(length + strlen("content-length:"), NULL, 10);
    left -= used - (size_t)(end + 4 - buffer);
    if (strcasestr(buffer, "100-continue") != NULL &&
        !give(peer, "HTTP/1.1 100 Continue\r\n\r\n")) {
        return false;
    }
    while (left > 0) {
        ssize_t n = take(peer, buffer, left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE);
        if (n <= 0) {
            return false;
        }
        left -= (uint64_t)n;
    }
    return give(peer, "HTTP/1.1 200 OK\r\nETag: \"00000000000000000000000000000000\"\r\n"
                      "Content-Length: 0\r\n\r\n");
}

static SSL_CTX *open_tls(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        bench_die("%s, %s: no certificate and key of a server", certificate, key);
    }
    return context;
}

static void serve(int listener, SSL_CTX *context)
{
    struct peer peer = {.fd = accept(listener, NULL, NULL)};
    if (peer.fd < 0) {
        bench_die("accept: %s", strerror(errno));
    }
    if (context != NULL) {
        peer.tls = SSL_new(context);
        SSL_set_fd(peer.tls, peer.fd);
    }
    if (peer.tls == NULL || SSL_accept(peer.tls) == 1) {
        while (serve_request(&peer)) {
        }
    }
    SSL_free(peer.tls);
    close(peer.fd);
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        bench_die("no listening socket: %s", strerror(errno));
    }
    printf("port %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int mode_sink(int argc, char **argv)
{
    if (argc == 1) {
        bench_die("sink: want no arguments, or CERTIFICATE KEY");
    }
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = argc > 1 ? open_tls(argv[0], argv[1]) : NULL;
    int listener = listen_on_loopback();
    for (;;) {
        serve(listener, context);
    }
}
