// atomic_queue::AtomicQueueB2 in its single-producer, single-consumer form, try_push and try_pop.
#include "peer.h"

#include <atomic_queue/atomic_queue.h>

namespace
{

using queue = atomic_queue::AtomicQueueB2<message, std::allocator<message>, true, false, true>;

void *create(uint32_t capacity)
{
    return new queue(capacity);
}

QUEUE_INLINE bool push(void *user, uint64_t number)
{
    message m;
    message_fill(&m, number);
    return static_cast<queue *>(user)->try_push(m);
}

QUEUE_INLINE uint32_t take(void *user, uint64_t *sum)
{
    message m;
    if (!static_cast<queue *>(user)->try_pop(m)) {
        return 0;
    }
    *sum += message_sum(&m);
    return 1;
}

QUEUE_INLINE bool take_one(void *user, uint64_t *first_word)
{
    message m;
    bool got = static_cast<queue *>(user)->try_pop(m);
    *first_word = m.words[0];
    return got;
}

constexpr queue_functions functions = {create, push, take, take_one};

} // namespace

QUEUE_CASE(PEER_CASE);
