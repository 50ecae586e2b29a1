/*
 * The name under which a peer's queue is exported, one per message size.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "queue.h"

#define PEER_CASE_OF(bytes) peer_case_##bytes
#define PEER_CASE_IN(bytes) PEER_CASE_OF(bytes)
#define PEER_CASE           PEER_CASE_IN(MESSAGE_BYTES)

#endif
