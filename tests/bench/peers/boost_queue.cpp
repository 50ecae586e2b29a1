// boost::lockfree::spsc_queue. -DTAKE_ALL: consume_all instead of consume_one; -DLOOK_AGAIN: and
// with the patience that our ring's consumer has when little is there.
#include "peer.h"

#include <boost/lockfree/spsc_queue.hpp>

namespace
{

struct queue : boost::lockfree::spsc_queue<message> {
    using spsc_queue::spsc_queue;
    alignas(128) uint32_t worth_taking = 0;
    uint32_t looks = 0;
};

void *create(uint32_t capacity)
{
    queue *q = new queue(capacity);
    q->worth_taking = capacity / 8;
    return q;
}

QUEUE_INLINE bool push(void *user, uint64_t number)
{
    message m;
    message_fill(&m, number);
    return static_cast<queue *>(user)->push(m);
}

QUEUE_INLINE uint32_t take(void *user, uint64_t *sum)
{
    queue *q = static_cast<queue *>(user);
    uint64_t local = 0;
    auto add = [&local](const message &m) { local += message_sum(&m); };
#ifdef TAKE_ALL
#ifdef LOOK_AGAIN
    if (q->read_available() < q->worth_taking && q->looks++ < 16) {
        return 0;
    }
    q->looks = 0;
#endif
    uint32_t taken = static_cast<uint32_t>(q->consume_all(add));
#else
    uint32_t taken = q->consume_one(add) ? 1 : 0;
#endif
    *sum += local;
    return taken;
}

QUEUE_INLINE bool take_one(void *user, uint64_t *first_word)
{
    return static_cast<queue *>(user)->consume_one(
        [first_word](const message &m) { *first_word = m.words[0]; });
}

constexpr queue_functions functions = {create, push, take, take_one};

} // namespace

QUEUE_CASE(PEER_CASE);
