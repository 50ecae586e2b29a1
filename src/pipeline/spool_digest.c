/*
 * DESIGN. A segment's MD5 follows its commits: what is on disk for good is read back, out of the
 * page cache where it still lies, so that the upload need not read the segment once more for its
 * checksum. It follows and does not go along, because hashing takes longer than all the rest of the
 * way from the ring to the file, and what waits in the ring comes first. Committed bytes never
 * change, so a failed write or dropped rows leave nothing to undo here. The writer keeps the
 * running state; what it remembers of sealed segments is a small table under the mutex, from which
 * the uploader reads.
 */
#include "spool_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (16 * 1024)

bool spool_count_digest(struct spool *spool)
{
    struct spool_active *active = &spool->active;
    uint64_t left = active->committed_size - active->digested;
    if (active->fd < 0 || left == 0 || active->unreadable) {
        return false;
    }
    if (active->digested == 0) {
        md5_begin(&active->md5);
    }
    char piece[PIECE_BYTES];
    size_t size = left < sizeof piece ? (size_t)left : sizeof piece;
    ssize_t n = pread(active->fd, piece, size, (off_t)active->digested);
    if (n > 0) {
        md5_add(&active->md5, piece, (size_t)n);
        active->digested += (uint64_t)n;
    } else if (n == 0 || errno != EINTR) {
        active->unreadable = true; // the upload will read it, and say what is wrong
    }
    return !active->unreadable && active->digested < active->committed_size;
}

void spool_digest_sealed(struct spool *spool, uint64_t number)
{
    const struct spool_active *active = &spool->active;
    while (spool_count_digest(spool)) {
    }
    struct spool_digest digest = {.number = number, .size = active->size};
    if (active->digested < active->size || md5_end(&active->md5, digest.md5) != 0) {
        return; // not readable, or MD5 is forbidden here
    }
    pthread_mutex_lock(&spool->mutex);
    spool->digests[spool->next_digest] = digest;
    spool->next_digest = (spool->next_digest + 1) % SPOOL_DIGESTS_MAX;
    pthread_mutex_unlock(&spool->mutex);
}

bool spool_segment_md5(struct spool *spool, const struct spool_segment *segment, uint8_t md5[16])
{
    bool known = false;
    pthread_mutex_lock(&spool->mutex);
    for (unsigned i = 0; i < SPOOL_DIGESTS_MAX && !known; i++) {
        const struct spool_digest *digest = &spool->digests[i];
        known = digest->number == segment->number && digest->size == segment->size;
        if (known) {
            memcpy(md5, digest->md5, MD5_BYTES);
        }
    }
    pthread_mutex_unlock(&spool->mutex);
    return known;
}
