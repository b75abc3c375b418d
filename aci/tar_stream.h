/*
 * The bytes of a tar as its readers take them: in blocks of 512, in pieces, or as a text of many
 * blocks. Errors are about what was read; where, the walker says (tar.c).
 */
#pragma once

#include <stdbool.h>

#include "aci/tar.h"

struct tar_stream {
	source *in;
	struct slice block; /* what is left of the block lent by IN */
	bool ended;
	bool failed;     /* the error is IN's, not the tar's */
	uint64_t offset; /* of BLOCK in the stream */
	uint64_t at;     /* of what is being looked at: for errors */
	uint8_t carry[TAR_BLOCK];
};

/* The next piece of at most MAX bytes, lent until the next read; empty only at the end of the
 * stream. */
int tar_stream_take(struct tar_stream *self, uint64_t max, struct slice *ret, rkt_error **err);

/* Reads 512 bytes: 1 with *RET, which lives until the next read; 0 when the stream ends here. */
int tar_stream_block(struct tar_stream *self, const uint8_t **ret, rkt_error **err);

/* Sets OUT to the next SIZE bytes, the body of an extended header, and reads its padding.
 * RKT_INVALID when there are fewer, or when SIZE is above MAX. */
int tar_stream_body(
	struct tar_stream *self, uint64_t size, uint64_t max, struct buf *out, rkt_error **err);

/* Fails with OTHERWISE, at the first byte that is not zero, unless all of PIECE, which was just
 * taken, is. */
int tar_stream_expect_zeros(
	struct tar_stream *self, struct slice piece, const char *otherwise, rkt_error **err);

/* Reads LEN bytes of padding. The kernel shows these bytes to whoever maps the file out of a
 * mounted image, where zeros are promised: nothing may hide there. */
int tar_stream_padding(struct tar_stream *self, unsigned len, rkt_error **err);

static inline unsigned tar_padding_of(uint64_t size)
{
	return (unsigned)(-size % TAR_BLOCK);
}
