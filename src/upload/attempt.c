#include "upload/attempt.h"

#include "upload/backoff.h"
#include "upload/body.h"
#include "upload/gzip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// What is sent: the request's bytes, as they are or packed.
struct parcel {
    struct body body;
    struct gzip *gzip; /* NULL: as they are */
    struct stream *stream;
};

static void fail_to_read(struct attempt *attempt, int error)
{
    attempt->answer =
        (struct put_answer){.transport = TRANSPORT_FILE, .retry_after_s = BACKOFF_NO_RETRY_AFTER};
    snprintf(attempt->answer.detail, sizeof attempt->answer.detail, "reading the file: %s",
             strerrordesc_np(-error));
    attempt->outcome = OUTCOME_DATA;
}

static void wrap(struct parcel *parcel, const struct delivery_request *request, bool compress)
{
    body_init(&parcel->body, request->fd, request->data, request->size);
    parcel->gzip = NULL;
    parcel->stream = &parcel->body.stream;
    if (compress && gzip_open(&parcel->gzip, parcel->stream) == 0) {
        parcel->stream = gzip_stream(parcel->gzip);
    }
}

static void unwrap(struct parcel *parcel)
{
    gzip_close(parcel->gzip);
    parcel->gzip = NULL;
    parcel->stream = &parcel->body.stream;
}

// The pass before the transfer: checksum, and the packed size. Without a digest nothing is packed.
static int read_through(struct parcel *parcel, struct attempt *attempt)
{
    int error = digest_stream(&attempt->digest, parcel->stream);
    attempt->digest_known = error == 0;
    if (error == 0 && parcel->gzip != NULL) {
        gzip_measured(parcel->gzip, attempt->digest.size);
    }
    if (error == -ENOTSUP || error == -ENOMEM) {
        unwrap(parcel);
        return stream_restart(parcel->stream) ? 0 : -EIO;
    }
    return error;
}

// That pass, unless the request brings what it would give.
static int inspect(struct parcel *parcel, struct attempt *attempt,
                   const struct delivery_request *request)
{
    if (request->md5 == NULL || parcel->gzip != NULL) {
        return read_through(parcel, attempt);
    }
    digest_take(&attempt->digest, request->md5, request->size);
    attempt->digest_known = true;
    return 0;
}

static void send_once(struct attempt *attempt, struct put *put, const struct attempt_target *target,
                      const struct parcel *parcel, const atomic_bool *abort, bool with_md5)
{
    struct put_request transfer = {.options = target->options,
                                   .url = target->url,
                                   .key = target->key,
                                   .body = parcel->stream,
                                   .content_md5 = with_md5 ? attempt->digest.base64 : NULL,
                                   .content_encoding = parcel->gzip != NULL ? "gzip" : NULL,
                                   .abort = abort};
    put_send(put, &transfer, &attempt->answer);
    struct outcome_answer answer = {.transport = attempt->answer.transport,
                                    .http_status = attempt->answer.http_status,
                                    .confirmed = attempt->answer.confirmed,
                                    .code = attempt->answer.code};
    attempt->outcome = outcome_classify(&answer);
}

static bool is_code(const struct attempt *attempt, const char *code)
{
    return strcmp(attempt->answer.code, code) == 0;
}

// What was sent is not what the given MD5 is of: is the file? An answer that stands is left alone.
static bool file_differs(struct attempt *attempt, struct parcel *parcel,
                         const struct delivery_request *request)
{
    if (request->md5 == NULL || parcel->gzip != NULL || !stream_restart(parcel->stream)) {
        return false;
    }
    int error = read_through(parcel, attempt);
    if (error != 0) {
        fail_to_read(attempt, error);
        return false;
    }
    attempt->file_differs = memcmp(attempt->digest.bytes, request->md5, DIGEST_BYTES) != 0;
    return attempt->file_differs;
}

void attempt_run(struct attempt *attempt, struct put *put, const struct attempt_target *target,
                 const struct delivery_request *request)
{
    struct parcel parcel;
    *attempt = (struct attempt){.md5_refused = false};
    wrap(&parcel, request, target->compress);
    int error = inspect(&parcel, attempt, request);
    if (error != 0) {
        fail_to_read(attempt, error);
    } else {
        bool with_md5 = attempt->digest_known && target->send_md5;
        send_once(attempt, put, target, &parcel, request->abort, with_md5);
        if (with_md5 && is_code(attempt, "SignatureDoesNotMatch") &&
            stream_restart(parcel.stream)) {
            attempt->md5_refused = true;
            send_once(attempt, put, target, &parcel, request->abort, false);
        } else if (with_md5 && is_code(attempt, "BadDigest") &&
                   file_differs(attempt, &parcel, request)) {
            send_once(attempt, put, target, &parcel, request->abort, true);
        }
    }
    unwrap(&parcel);
}
