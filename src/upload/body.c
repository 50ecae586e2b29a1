#include "upload/body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_bytes(struct body *body, char *out, size_t want)
{
    if (body->fd < 0) {
        memcpy(out, body->data + body->offset, want);
        return (ssize_t)want;
    }
    ssize_t got;
    do {
        got = pread(body->fd, out, want, (off_t)body->offset);
    } while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t body_read(struct stream *stream, char *out, size_t room)
{
    struct body *body = (struct body *)stream;
    uint64_t rest = stream->size - body->offset;
    if (rest == 0) {
        return 0;
    }
    ssize_t got = read_bytes(body, out, rest < room ? (size_t)rest : room);
    if (got <= 0) {
        stream->failed = true; // shorter than promised is as bad as unreadable
        return -1;
    }
    body->offset += (uint64_t)got;
    return got;
}

static bool body_restart(struct stream *stream)
{
    struct body *body = (struct body *)stream;
    body->offset = 0;
    return true;
}

void body_init(struct body *body, int fd, const char *data, uint64_t size)
{
    *body = (struct body){.stream = {.read = body_read, .restart = body_restart, .size = size},
                          .fd = fd,
                          .data = data};
}
