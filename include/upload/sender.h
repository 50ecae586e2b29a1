/*
 * The way out over HTTP: implements struct delivery. Each kind of object goes to
 *
 *   its presigned URL                       (keys from the settings), or
 *   the presigned URL that url_source names (fresh ones when the old ones die), or
 *   <endpoint>/<bucket>/<prefix><name>      (direct mode: we sign; one key for each segment)
 *
 * Direct mode wins over url_source, url_source over the settings' URLs, which serve until it has
 * answered.
 *
 * Threads: sender_delivery's put() belongs to one thread (the uploader's), which has SIGPIPE
 * blocked; configure and get_state may be called by any other thread at any time, also while a
 * transfer runs. A transfer under way ends with the URL it began with. Leaves do not log: what
 * happened is in the delivery result, and in the state for status files.
 *
 * In a result's reason, DELIVERY_ACKNOWLEDGED leaves a remark worth one log line, or "".
 */
#ifndef UPLOAD_SENDER_H
#define UPLOAD_SENDER_H

#include "core/delivery.h"
#include "upload/sender_config.h"
#include "upload/sender_state.h"

#include <stdint.h>

struct sender;

/*
 * 0, -ENOMEM, -EINVAL for a URL that url_check refuses or an endpoint that is more than scheme,
 * host and port, -ENAMETOOLONG for another text.
 */
int sender_open(struct sender **sender, const struct sender_config *config);
void sender_close(struct sender *sender);

/* Lives as long as the sender. */
struct delivery *sender_delivery(struct sender *sender);

/*
 * Takes new settings. All waits end: the next put() tries at once. On failure (as sender_open) the
 * old settings stay.
 */
int sender_configure(struct sender *sender, const struct sender_config *config);

/* TIME_S was just now a time known to be right. The floor only ever rises. */
void sender_raise_time_floor(struct sender *sender, int64_t time_s);

void sender_get_state(struct sender *sender, struct sender_state *state);

#endif
