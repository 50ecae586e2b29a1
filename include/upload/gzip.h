/*
 * A stream, packed by gzip as it passes. The only file that knows zlib.
 *
 * S3 wants to know the length before the first byte, so the stream is packed twice: once to be
 * measured (and digested, which needs a pass of its own anyway), once to be sent. That costs
 * processor time and saves memory and flash: about 270 KiB while it is open, whatever the size, and
 * no file. Both passes give the same bytes: nothing but the input decides them.
 */
#ifndef UPLOAD_GZIP_H
#define UPLOAD_GZIP_H

#include "upload/stream.h"

struct gzip;

/* Packs RAW, which outlives it. 0 or -ENOMEM. */
int gzip_open(struct gzip **gzip, struct stream *raw);
void gzip_close(struct gzip *gzip);

/* The packed stream; its size is unknown (UINT64_MAX) until gzip_measured. */
struct stream *gzip_stream(struct gzip *gzip);

/* A first pass gave SIZE bytes: that is the size of every other one. */
void gzip_measured(struct gzip *gzip, uint64_t size);

#endif
