/*
 * DESIGN. There is one way to make sense of the directory, used at start and after every failure
 * that cost the active segment: look at all names, bring each .part to its last whole row, sync it,
 * seal it, start the next. Each step leaves a directory that the same procedure accepts, so being
 * killed in the middle costs nothing. docs/SPOOL.md has the table of crash points.
 */
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No row is shorter: eighteen commas, boot id, words and at least one digit where one must be. */
#define ROW_MIN 48

struct sweep {
    struct spool *spool;
    struct spool_recovery *found;
    uint64_t below_seq;      /* rows from here on come again; UINT64_MAX = keep all */
    uint64_t next_seq;       /* of this boot, above all that is in use */
    uint64_t durable_below;  /* of this boot; lower seqs are on disk for good */
    uint64_t highest_sealed; /* number */
    struct spool_name spare; /* a .part without rows; number 0 = none */
    bool parts;              /* there are .part files to recover */
    bool blind;              /* seqs may be in use that could not be read */
    int error;               /* the first -errno that keeps a .part from being sealed */
};

static void raise(uint64_t *value, uint64_t at_least)
{
    if (*value < at_least) {
        *value = at_least;
    }
}

static void use_seq(struct sweep *sweep, uint32_t boot_id, uint64_t seq)
{
    if (boot_id == sweep->spool->config.boot_id) {
        raise(&sweep->next_seq, seq + 1);
    }
}

/* ---- the survey: all names ---- */

// A sealed segment or a note.
static void survey_file(struct sweep *sweep, const char *entry, const struct spool_name *name)
{
    struct spool *spool = sweep->spool;
    struct stat st;
    if (fstatat(spool->dir_fd, entry, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        // It has a name, whatever ails it: a regular file, until it is opened.
        st = (struct stat){.st_mode = S_IFREG};
    }
    if (!S_ISREG(st.st_mode)) {
        spool_quarantine(spool, entry);
    } else if (name->kind == SPOOL_SEALED) {
        raise(&sweep->highest_sealed, name->number);
        spool_note_sealed(spool, name->number, (uint64_t)st.st_size);
    } else {
        use_seq(sweep, name->boot_id, name->last_seq);
        spool_restore_eviction(spool, name, (uint64_t)st.st_size);
    }
}

static void survey_entry(struct sweep *sweep, const char *entry)
{
    struct spool *spool = sweep->spool;
    struct spool_name name = spool_name_parse(entry);
    if (name.kind == SPOOL_STRANGER) {
        if (strcmp(entry, SPOOL_BAD_DIR) != 0) {
            spool_quarantine(spool, entry);
        }
        return;
    }
    if (name.number >= atomic_load(&spool->next_number)) {
        atomic_store(&spool->next_number, name.number + 1);
    }
    if (name.kind == SPOOL_PART) {
        sweep->parts = true; // for the second pass, when all numbers are known
    } else {
        survey_file(sweep, entry, &name);
    }
}

static void reset_accounts(struct spool *spool)
{
    spool->eviction_count = 0;
    spool->evictions_taken = 0;
    pthread_mutex_lock(&spool->mutex);
    spool->stats.sealed_bytes = 0;
    spool->stats.sealed_segments = 0;
    spool->lowest_sealed = UINT64_MAX;
    pthread_mutex_unlock(&spool->mutex);
}

static int survey(struct sweep *sweep)
{
    struct spool_walk walk;
    reset_accounts(sweep->spool);
    spool_walk_open(&walk, sweep->spool->dir_fd);
    for (const char *entry; (entry = spool_walk_next(&walk)) != NULL;) {
        survey_entry(sweep, entry);
    }
    spool_walk_close(&walk);
    sweep->spool->surveyed = walk.error == 0;
    return walk.error;
}

/* ---- one .part ---- */

// Nothing of ours, or too damaged to be read: set aside, so that it blocks nothing. Everything else
// (no space, read-only, no descriptor) heals, and then the file is recovered.
static bool is_hopeless(int error)
{
    return error == -EBADMSG || error == -EIO || error == -EACCES || error == -EPERM;
}

static int sync_data(int fd)
{
    int rc;
    do {
        rc = fdatasync(fd);
    } while (rc != 0 && errno == EINTR); // interrupted, not failed
    return rc == 0 ? 0 : -errno;
}

// Which of its rows are in use, when the file can be read but not changed.
static void look_only(struct sweep *sweep, const char *entry, const struct spool_name *name)
{
    struct spool_keep keep = {name->boot_id, name->first_seq, UINT64_MAX, .look_only = true};
    struct spool_rescue rescue;
    uint64_t size;
    int fd = spool_open_regular(sweep->spool->dir_fd, entry, O_RDONLY, &size);
    int error = fd < 0 ? fd : spool_rescue_rows(fd, size, &keep, &rescue);
    if (fd >= 0) {
        close(fd);
    }
    if (error == 0 && rescue.rows > 0) {
        use_seq(sweep, name->boot_id, rescue.last_seq);
    } else if (error != 0 && !is_hopeless(error)) {
        sweep->blind = true;
    }
}

// Opens and cleans a .part. fd or -errno.
static int open_and_rescue(struct sweep *sweep, const char *entry, const struct spool_name *name,
                           struct spool_rescue *rescue)
{
    struct spool *spool = sweep->spool;
    struct spool_keep keep = {name->boot_id, name->first_seq, UINT64_MAX, .look_only = false};
    if (name->boot_id == spool->config.boot_id) {
        keep.below_seq = sweep->below_seq;
    }
    uint64_t size;
    int fd = spool_open_regular(spool->dir_fd, entry, O_RDWR, &size);
    if (fd < 0) {
        return fd;
    }
    // No segment of ours outgrows the quota: such a file is not worth the time to read it.
    int error =
        size > spool->config.quota_bytes ? -EBADMSG : spool_rescue_rows(fd, size, &keep, rescue);
    if (error != 0) {
        close(fd);
        return error;
    }
    return fd;
}

// As above, and makes its rows durable. 0 or -errno; rescue->write_failed says of which kind.
static int rescue_part(struct sweep *sweep, const char *entry, const struct spool_name *name,
                       struct spool_rescue *rescue)
{
    int fd = -EIO;
    for (int tries = 0; fd == -EIO && !rescue->write_failed && tries < SPOOL_READ_TRIES; tries++) {
        fd = open_and_rescue(sweep, entry, name, rescue);
    }
    if (fd < 0) {
        return fd;
    }
    int error = rescue->rows > 0 ? sync_data(fd) : 0;
    rescue->write_failed = error != 0;
    close(fd);
    return error;
}

static int seal_part(struct sweep *sweep, const struct spool_name *name,
                     const struct spool_rescue *rescue)
{
    use_seq(sweep, name->boot_id, rescue->last_seq);
    // Until a new .part exists, the newest sealed segment says where numbering goes on.
    atomic_store(&sweep->spool->has_part, false);
    struct spool_name sealed;
    return spool_rename_sealed(sweep->spool, name, rescue->size, &sealed);
}

// One without rows is kept to go on with, the one with the highest number.
static void keep_spare(struct sweep *sweep, const struct spool_name *name)
{
    struct spool_name drop = *name;
    if (name->number > sweep->spare.number) {
        drop = sweep->spare;
        sweep->spare = *name;
    }
    if (drop.number != 0) {
        char text[SPOOL_NAME_MAX];
        spool_name_format(text, &drop);
        (void)unlinkat(sweep->spool->dir_fd, text, 0); // empty: found again at worst
    }
}

// What is set aside may hold any seq that its size has room for: they are not used again. A gap in
// the numbers is honest, these rows are lost.
static void use_unread(struct sweep *sweep, const char *entry, const struct spool_name *name)
{
    struct stat st;
    if (fstatat(sweep->spool->dir_fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode) && (uint64_t)st.st_size <= sweep->spool->config.quota_bytes) {
        use_seq(sweep, name->boot_id, name->first_seq - 1 + (uint64_t)st.st_size / ROW_MIN);
    }
}

// Its rows may not be on disk for good: what the ring still has of them is to come again.
static void doubt_part(struct sweep *sweep, const struct spool_name *name)
{
    if (name->boot_id == sweep->spool->config.boot_id && name->first_seq < sweep->durable_below) {
        sweep->durable_below = name->first_seq;
    }
}

// False: it is still in the way, and may become readable.
static bool set_aside(struct sweep *sweep, const char *entry, const struct spool_name *name,
                      int error)
{
    use_unread(sweep, entry, name);
    doubt_part(sweep, name);
    return spool_quarantine(sweep->spool, entry) || error == -EBADMSG;
}

static void recover_part(struct sweep *sweep, const char *entry, const struct spool_name *name)
{
    struct spool_rescue rescue = {0};
    use_seq(sweep, name->boot_id, name->first_seq - 1);
    int error = rescue_part(sweep, entry, name, &rescue);
    if (!rescue.write_failed && is_hopeless(error) && set_aside(sweep, entry, name, error)) {
        return;
    }
    if (error == 0 && rescue.rows == 0) {
        keep_spare(sweep, name);
    } else if (error == 0) {
        error = seal_part(sweep, name, &rescue);
    }
    if (error == 0) {
        sweep->found->recovered_rows += rescue.rows;
        sweep->found->torn_bytes += rescue.torn_bytes;
    } else {
        sweep->error = sweep->error == 0 ? error : sweep->error;
        doubt_part(sweep, name);
        look_only(sweep, entry, name);
    }
}

static int recover_parts(struct sweep *sweep)
{
    struct spool_walk walk;
    spool_walk_open(&walk, sweep->spool->dir_fd);
    for (const char *entry; (entry = spool_walk_next(&walk)) != NULL;) {
        struct spool_name name = spool_name_parse(entry);
        if (name.kind == SPOOL_PART) {
            recover_part(sweep, entry, &name);
        }
    }
    spool_walk_close(&walk);
    return walk.error;
}

/* ---- going on ---- */

// Should the .part be gone, the newest sealed segment has the last seqs in use.
static void read_newest(struct sweep *sweep)
{
    struct spool_name name = {.kind = SPOOL_SEALED, .number = sweep->highest_sealed};
    char text[SPOOL_NAME_MAX];
    uint64_t size;
    spool_name_format(text, &name);
    int fd = spool_open_regular(sweep->spool->dir_fd, text, O_RDONLY, &size);
    if (fd < 0) {
        sweep->blind |= !is_hopeless(fd);
        sweep->error = sweep->blind ? fd : sweep->error;
        return;
    }
    struct csv_key first;
    struct csv_key last;
    if (spool_read_range(fd, size, &first, &last) == 0) {
        use_seq(sweep, last.boot_id, last.seq);
    }
    close(fd);
}

// The spare goes on as it is, or under the name that says our boot and seq.
static int reuse_spare(struct sweep *sweep, const struct spool_name *wanted)
{
    struct spool *spool = sweep->spool;
    char old_name[SPOOL_NAME_MAX];
    char new_name[SPOOL_NAME_MAX];
    spool_name_format(old_name, &sweep->spare);
    spool_name_format(new_name, wanted);
    int error = strcmp(old_name, new_name) == 0 ? 0 : spool_rename(spool, old_name, new_name);
    if (error != 0) {
        return error;
    }
    uint64_t size;
    int fd = spool_open_regular(spool->dir_fd, new_name, SPOOL_ACTIVE_FLAGS, &size);
    if (fd < 0) {
        return fd;
    }
    spool->active = (struct spool_active){.fd = fd, .name = *wanted};
    return 0;
}

static int go_on(struct sweep *sweep, uint64_t first_seq)
{
    struct spool *spool = sweep->spool;
    struct spool_name wanted = {SPOOL_PART, sweep->spare.number, spool->config.boot_id, first_seq,
                                0};
    // After a failure the next segment is a new file, whatever is left of the old one.
    bool reuse = wanted.number != 0 && !spool->recut &&
                 wanted.number + 1 == atomic_load(&spool->next_number);
    int error =
        reuse ? reuse_spare(sweep, &wanted) : spool_start_part(spool, first_seq, &spool->active);
    if (error != 0) {
        return error;
    }
    if (!reuse && sweep->spare.number != 0) {
        char text[SPOOL_NAME_MAX];
        spool_name_format(text, &sweep->spare);
        (void)unlinkat(spool->dir_fd, text, 0);
    }
    return 0;
}

static void report(const struct sweep *sweep, struct spool_recovery *found)
{
    struct spool_stats stats;
    spool_get_stats(sweep->spool, &stats);
    found->next_seq = sweep->blind ? 0 : sweep->next_seq;
    found->durable_below =
        sweep->durable_below < sweep->next_seq ? sweep->durable_below : sweep->next_seq;
    found->sealed_segments = stats.sealed_segments;
    found->bad_files = stats.bad_files;
}

int spool_recover(struct spool *spool, uint64_t first_seq, struct spool_recovery *found)
{
    struct spool_recovery ignored = {0};
    struct sweep sweep = {
        .spool = spool,
        .found = found != NULL ? found : &ignored,
        .below_seq = spool->recut ? first_seq : UINT64_MAX,
        .next_seq = 1,
        .durable_below = UINT64_MAX,
    };
    bool first_look = !spool->surveyed;
    int error = first_look ? survey(&sweep) : 0;
    if (error == 0 && (sweep.parts || !first_look)) {
        error = recover_parts(&sweep);
    }
    if (error != 0) {
        return error; // the directory can not be read; found->next_seq is 0
    }
    if (first_look && sweep.highest_sealed != 0) {
        read_newest(&sweep);
    }
    bool stuck = sweep.error != 0;
    error = stuck ? sweep.error : go_on(&sweep, first_seq != 0 ? first_seq : sweep.next_seq);
    spool->recut = stuck || (spool->recut && error != 0);
    atomic_store(&spool->has_part, error == 0 || stuck || sweep.spare.number != 0);
    spool_sync_dir(spool);
    spool_offer_sealed(spool);
    report(&sweep, sweep.found);
    return error;
}
