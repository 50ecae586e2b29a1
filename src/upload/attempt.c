#include "upload/attempt.h"

#include "upload/backoff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int digest_request(struct digest *digest, const struct delivery_request *request)
{
    return request->fd >= 0 ? digest_file(digest, request->fd, request->size)
                            : digest_memory(digest, request->data, (size_t)request->size);
}

static void fail_to_read(struct attempt *attempt, int error)
{
    attempt->answer =
        (struct put_answer){.transport = TRANSPORT_FILE, .retry_after_s = BACKOFF_NO_RETRY_AFTER};
    snprintf(attempt->answer.detail, sizeof attempt->answer.detail, "reading the file: %s",
             strerrordesc_np(-error));
    attempt->outcome = OUTCOME_DATA;
}

static void send_once(struct attempt *attempt, struct put *put, const struct attempt_target *target,
                      const struct delivery_request *request, const char *content_md5)
{
    struct put_request transfer = {.options = target->options,
                                   .url = target->url,
                                   .key = target->key,
                                   .fd = request->fd,
                                   .data = request->data,
                                   .size = request->size,
                                   .content_md5 = content_md5,
                                   .abort = request->abort};
    put_send(put, &transfer, &attempt->answer);
    struct outcome_answer answer = {.transport = attempt->answer.transport,
                                    .http_status = attempt->answer.http_status,
                                    .confirmed = attempt->answer.confirmed,
                                    .code = attempt->answer.code};
    attempt->outcome = outcome_classify(&answer);
}

void attempt_run(struct attempt *attempt, struct put *put, const struct attempt_target *target,
                 const struct delivery_request *request)
{
    *attempt = (struct attempt){.md5_refused = false};
    int error = digest_request(&attempt->digest, request);
    attempt->digest_known = error == 0;
    if (error != 0 && error != -ENOTSUP && error != -ENOMEM) {
        fail_to_read(attempt, error);
        return;
    }
    bool with_md5 = attempt->digest_known && target->send_md5;
    send_once(attempt, put, target, request, with_md5 ? attempt->digest.base64 : NULL);
    if (with_md5 && strcmp(attempt->answer.code, "SignatureDoesNotMatch") == 0) {
        attempt->md5_refused = true;
        send_once(attempt, put, target, request, NULL);
    }
}
