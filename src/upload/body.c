#include "upload/body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

ssize_t body_read(struct body *body, char *out, size_t room)
{
    uint64_t rest = body->size - body->offset;
    size_t want = rest < room ? (size_t)rest : room;
    if (want == 0) {
        return 0;
    }
    ssize_t got = (ssize_t)want;
    if (body->fd < 0) {
        memcpy(out, body->data + body->offset, want);
    } else {
        do {
            got = pread(body->fd, out, want, (off_t)body->offset);
        } while (got < 0 && errno == EINTR);
    }
    if (got <= 0) {
        body->failed = true; // shorter than promised is as bad as unreadable
        return -1;
    }
    body->offset += (uint64_t)got;
    return got;
}

bool body_seek(struct body *body, uint64_t offset)
{
    if (offset > body->size) {
        return false;
    }
    body->offset = offset;
    return true;
}
