/*
 * One object to a server that takes it: by the product's put, or by sendfile(2) with no HTTP
 * library at all, which is the limit. Memory is measured from just before the first byte of work.
 */
#include "bench.h"
#include "modes.h"

#include "upload/body.h"
#include "upload/put.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

// KiB, by the kernel's own words.
static double memory_kib(const char *name)
{
    char line[256];
    double kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kib = strtod(line + strlen(name), NULL);
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return kib;
}

static int open_object(const char *path, uint64_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        bench_die("%s: %s", path, strerror(errno));
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

static int64_t put_once(struct put *put, const struct put_request *request)
{
    struct put_answer answer;
    int64_t begin_ns = bench_now_ns();
    put_send(put, request, &answer);
    int64_t span_ns = bench_now_ns() - begin_ns;
    if (!answer.confirmed) {
        bench_die("not stored: HTTP %d %s", answer.http_status, answer.detail);
    }
    return span_ns;
}

static void upload_put(int fd, uint64_t size, const char *url, const char *ca_bundle)
{
    static const atomic_bool never;
    const struct put_options options = {
        .user_agent = "ntp_bench", .ca_bundle = ca_bundle, .proxy = "", .allow_http = true};
    struct body body;
    struct body byte;
    body_init(&body, fd, NULL, size);
    body_init(&byte, -1, "x", 1);
    const struct put_request request = {
        .options = &options, .url = url, .body = &body.stream, .abort = &never};
    const struct put_request small = {
        .options = &options, .url = url, .body = &byte.stream, .abort = &never};
    struct put *put;
    double before_kib = memory_kib("VmRSS:");
    if (put_open(&put) != 0) {
        bench_die("no memory");
    }
    put_once(put, &small); // library and connection are there, as on every upload but the first
    double idle_kib = memory_kib("VmRSS:");
    int64_t span_ns = put_once(put, &request);
    double peak_kib = memory_kib("VmHWM:");
    bench_print("rate", (double)size * 1e3 / (double)span_ns);
    bench_print("peak_above_start_kib", peak_kib - before_kib);
    bench_print("peak_above_kept_kib", peak_kib - idle_kib);
    put_close(put);
}

static int connect_to(const char *url)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *port = strrchr(url, ':');
    address.sin_port = htons((uint16_t)strtoul(port != NULL ? port + 1 : "0", NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        bench_die("%s: %s", url, strerror(errno));
    }
    return fd;
}

static void upload_sendfile(int fd, uint64_t size, const char *url)
{
    char text[256];
    int to = connect_to(url);
    int64_t begin_ns = bench_now_ns();
    int length = snprintf(text, sizeof text,
                          "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %" PRIu64 "\r\n\r\n", size);
    bool sent = send(to, text, (size_t)length, MSG_MORE | MSG_NOSIGNAL) == length;
    for (off_t at = 0; sent && (uint64_t)at < size;) {
        sent = sendfile(to, fd, &at, (size_t)(size - (uint64_t)at)) > 0;
    }
    ssize_t got = sent ? recv(to, text, sizeof text - 1, 0) : -1;
    if (got < 12 || memcmp(text, "HTTP/1.1 200", 12) != 0) {
        bench_die("not stored: %s", strerror(errno));
    }
    bench_print("rate", (double)size * 1e3 / (double)(bench_now_ns() - begin_ns));
    close(to);
}

int mode_upload(int argc, char **argv)
{
    uint64_t size;
    int fd = open_object(argv[1], &size);
    signal(SIGPIPE, SIG_IGN);
    bench_print("bytes", (double)size);
    if (strcmp(argv[0], "sendfile") == 0) {
        upload_sendfile(fd, size, argv[2]);
    } else {
        upload_put(fd, size, argv[2], argc > 3 ? argv[3] : "");
    }
    close(fd);
    return 0;
}
