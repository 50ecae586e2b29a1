/*
 * DESIGN. What goes into the active segment goes through an MD5, so that the upload need not read a
 * segment once more for its checksum, and the checksum is of what was written rather than of what a
 * worn flash gives back. Only bytes that are in the file for good count: a failed write is added
 * when its repetition has succeeded, and rows that are dropped take the snapshot of the last commit
 * with them. The writer keeps the running state; what it remembers of sealed segments is a small
 * table under the mutex, from which the uploader reads.
 */
#include "spool_private.h"

#include <string.h>

void spool_digest_appended(struct spool_active *active, const char *rows, size_t size)
{
    if (active->size == 0) {
        md5_begin(&active->md5);
        md5_add(&active->md5, csv_header, strlen(csv_header));
    }
    md5_add(&active->md5, rows, size);
}

void spool_digest_sealed(struct spool *spool, const struct spool_active *active, uint64_t number)
{
    struct spool_digest digest = {.number = number, .size = active->size};
    if (md5_end(&active->md5, digest.md5) != 0) {
        return; // forbidden here
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
