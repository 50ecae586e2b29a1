// moodycamel::ReaderWriterQueue, try_enqueue (which never allocates) and in-place peek.
#include "peer.h"

#include <readerwriterqueue/readerwriterqueue.h>

namespace
{

using queue = moodycamel::ReaderWriterQueue<message>;

void *create(uint32_t capacity)
{
    return new queue(capacity - 1); // one slot of its block stays empty
}

QUEUE_INLINE bool push(void *user, uint64_t number)
{
    message m;
    message_fill(&m, number);
    return static_cast<queue *>(user)->try_enqueue(m);
}

QUEUE_INLINE uint32_t take(void *user, uint64_t *sum)
{
    queue *q = static_cast<queue *>(user);
    message *m = q->peek();
    if (m == nullptr) {
        return 0;
    }
    *sum += message_sum(m);
    q->pop();
    return 1;
}

QUEUE_INLINE bool take_one(void *user, uint64_t *first_word)
{
    queue *q = static_cast<queue *>(user);
    message *m = q->peek();
    if (m == nullptr) {
        return false;
    }
    *first_word = m->words[0];
    return q->pop();
}

constexpr queue_functions functions = {create, push, take, take_one};

} // namespace

QUEUE_CASE(PEER_CASE);
