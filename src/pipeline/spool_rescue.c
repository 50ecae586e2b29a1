/*
 * DESIGN. Rows only ever move towards the start of the file, to where a former row was found bad,
 * and the file is cut last. Whatever instant a kill chooses, every row not yet moved is still
 * where it was, and every row left behind by a move has a seq that no longer rises: a second run
 * drops exactly those and continues. So no copy, no second file and no memory is needed. An
 * undamaged file is only read.
 */
#include "spool_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- reading lines ---- */

struct line {
    const char *text; /* without its LF; NULL: bytes that are no line of ours (too long, no LF) */
    size_t length;
    uint64_t offset;
};

struct lines {
    int fd;
    uint64_t offset; /* in the file, of buffer[0] */
    size_t at;
    size_t length;
    bool skipping; /* inside a line too long for any row */
    char buffer[16 * CSV_ROW_MAX];
};

// Reads up to SIZE bytes at OFFSET; fewer only at the end of the file.
static ssize_t read_at(int fd, char *out, size_t size, uint64_t offset)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = pread(fd, out + got, size - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

// Drops what was consumed and fills up. 1, 0 when there was nothing more, or -errno.
static int refill(struct lines *lines)
{
    lines->length -= lines->at;
    lines->offset += lines->at;
    memmove(lines->buffer, lines->buffer + lines->at, lines->length);
    lines->at = 0;
    ssize_t n = read_at(lines->fd, lines->buffer + lines->length,
                        sizeof lines->buffer - lines->length, lines->offset + lines->length);
    lines->length += n > 0 ? (size_t)n : 0;
    return n < 0 ? (int)n : n > 0;
}

static void take_line(struct lines *lines, size_t length, struct line *line)
{
    bool whole = !lines->skipping && length <= CSV_ROW_MAX;
    line->text = whole ? lines->buffer + lines->at : NULL;
    line->length = length - 1;
    line->offset = lines->offset + lines->at;
    lines->at += length;
    lines->skipping = false;
}

// The next line. 1, 0 at the end of the file, or -errno.
static int next_line(struct lines *lines, struct line *line)
{
    for (;;) {
        const char *start = lines->buffer + lines->at;
        size_t left = lines->length - lines->at;
        const char *lf = memchr(start, '\n', left);
        if (lf != NULL) {
            take_line(lines, (size_t)(lf - start) + 1, line);
            return 1;
        }
        if (left >= CSV_ROW_MAX) {
            lines->skipping = true; // no row is that long: let it pass, keep the memory constant
            lines->at = lines->length;
        }
        int more = refill(lines);
        if (more <= 0) {
            return more; // what is left without an LF is torn
        }
    }
}

/* ---- keeping rows ---- */

struct pack {
    int fd;
    const struct spool_keep *keep;
    struct spool_rescue *rescue;
    uint64_t end;    /* everything below is header and kept rows */
    bool has_header; /* the first line is ours */
};

static int write_at(struct pack *pack, const char *data, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t n = pwrite(pack->fd, data, size, (off_t)offset);
        if (n < 0 && errno != EINTR) {
            pack->rescue->write_failed = true;
            return -errno;
        }
        size_t done = n > 0 ? (size_t)n : 0;
        data += done;
        size -= done;
        offset += done;
    }
    return 0;
}

static bool is_header(const struct line *line)
{
    size_t length = strlen(csv_header) - 1;
    return line->text != NULL && line->offset == 0 && line->length == length &&
           memcmp(line->text, csv_header, length) == 0;
}

static bool is_kept(const struct pack *pack, const struct line *line, uint64_t *seq)
{
    struct csv_key key;
    if (line->text == NULL || csv_parse_key(line->text, line->length, &key) != 0) {
        return false;
    }
    *seq = key.seq;
    bool rises = pack->rescue->rows == 0 || key.seq > pack->rescue->last_seq;
    return rises && key.boot_id == pack->keep->boot_id && key.seq >= pack->keep->from_seq &&
           key.seq < pack->keep->below_seq;
}

// A kept row behind a damaged header: the header is written anew if there is room before the row.
static int restore_header(struct pack *pack, const struct line *line)
{
    size_t length = strlen(csv_header);
    if (line->offset < length) {
        return -EBADMSG;
    }
    pack->has_header = true;
    pack->end = length;
    return pack->keep->look_only ? 0 : write_at(pack, csv_header, length, 0);
}

static int keep_row(struct pack *pack, const struct line *line, uint64_t seq)
{
    int error = pack->has_header ? 0 : restore_header(pack, line);
    if (error == 0 && pack->end != line->offset && !pack->keep->look_only) {
        // The LF is still behind the text in the buffer.
        error = write_at(pack, line->text, line->length + 1, pack->end);
    }
    if (error == 0) {
        struct spool_rescue *rescue = pack->rescue;
        rescue->first_seq = rescue->rows == 0 ? seq : rescue->first_seq;
        rescue->last_seq = seq;
        rescue->rows++;
        pack->end += line->length + 1;
    }
    return error;
}

static int pack_rows(struct pack *pack)
{
    struct lines lines = {.fd = pack->fd};
    struct line line;
    int more;
    while ((more = next_line(&lines, &line)) > 0) {
        uint64_t seq;
        int error = 0;
        if (is_header(&line)) {
            pack->has_header = true;
            pack->end = line.length + 1;
        } else if (is_kept(pack, &line, &seq)) {
            error = keep_row(pack, &line, seq);
        }
        if (error != 0) {
            return error;
        }
    }
    return more;
}

// Nothing but the start of a header: our first write, torn.
static bool is_torn_header(int fd, uint64_t size)
{
    char start[CSV_ROW_MAX];
    size_t length = strlen(csv_header);
    length = size < length ? (size_t)size : length;
    return read_at(fd, start, length, 0) == (ssize_t)length &&
           memcmp(start, csv_header, length) == 0;
}

int spool_rescue_rows(int fd, uint64_t size, const struct spool_keep *keep,
                      struct spool_rescue *rescue)
{
    *rescue = (struct spool_rescue){0};
    struct pack pack = {.fd = fd, .keep = keep, .rescue = rescue};
    int error = pack_rows(&pack);
    if (error != 0) {
        return error;
    }
    if (rescue->rows == 0) {
        if (!is_torn_header(fd, size)) {
            return -EBADMSG;
        }
        pack.end = 0;
    }
    rescue->size = pack.end;
    rescue->torn_bytes = size - pack.end;
    if (rescue->torn_bytes > 0 && !keep->look_only && ftruncate(fd, (off_t)pack.end) != 0) {
        rescue->write_failed = true;
        return -errno;
    }
    return 0;
}

/* ---- reading only ---- */

int spool_each_row(int fd, int (*on_row)(void *ctx, const char *row, size_t size), void *ctx)
{
    struct lines lines = {.fd = fd};
    struct line line;
    int more;
    while ((more = next_line(&lines, &line)) > 0) {
        int error = line.text != NULL ? on_row(ctx, line.text, line.length) : 0;
        if (error != 0) {
            return error;
        }
    }
    return more;
}

int spool_read_range(int fd, uint64_t size, struct csv_key *first, struct csv_key *last)
{
    char text[CSV_ROW_MAX + 1];
    size_t header = strlen(csv_header);
    if (size <= header) {
        return -EBADMSG;
    }
    ssize_t n = read_at(fd, text, sizeof text - 1, header);
    const char *lf = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
    if (n < 0) {
        return (int)n;
    }
    if (lf == NULL || csv_parse_key(text, (size_t)(lf - text), first) != 0) {
        return -EBADMSG;
    }
    size_t tail = size - header < sizeof text ? (size_t)(size - header) : sizeof text;
    n = read_at(fd, text, tail, size - tail);
    if (n < 0) {
        return (int)n;
    }
    if ((size_t)n != tail || text[tail - 1] != '\n') {
        return -EBADMSG;
    }
    const char *before = memrchr(text, '\n', tail - 1);
    const char *row = before == NULL ? text : before + 1;
    return csv_parse_key(row, tail - 1 - (size_t)(row - text), last);
}
