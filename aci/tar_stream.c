/* The bytes of a tar. Data are lent from the blocks of the source; only a header that lies across
 * two of them, and what is asked for as a whole, are copied. */
#include "aci/tar_stream.h"

#include <inttypes.h>
#include <string.h>

#include "aci/tar_header.h"

/* Makes BLOCK non-empty, or sets ENDED. */
static int pull(struct tar_stream *self, rkt_error **err)
{
	int got;

	if (self->block.len || self->ended)
		return 0;
	got = source_next(self->in, &self->block, err);
	self->failed = got < 0;
	self->ended = !got;
	return got < 0 ? -1 : 0;
}

int tar_stream_take(struct tar_stream *self, uint64_t max, struct slice *ret, rkt_error **err)
{
	*ret = (struct slice){ 0 };
	if (pull(self, err) < 0)
		return -1;
	if (self->ended)
		return 0;
	*ret = self->block;
	if (ret->len > max)
		ret->len = (size_t)max;
	self->block.data += ret->len;
	self->block.len -= ret->len;
	self->offset += ret->len;
	return 0;
}

int tar_stream_block(struct tar_stream *self, const uint8_t **ret, rkt_error **err)
{
	struct slice piece;
	size_t len = 0;

	if (pull(self, err) < 0)
		return -1;
	if (self->block.len >= TAR_BLOCK) {
		*ret = self->block.data;
		return tar_stream_take(self, TAR_BLOCK, &piece, err) < 0 ? -1 : 1;
	}
	*ret = self->carry;
	while (len < TAR_BLOCK) {
		if (tar_stream_take(self, TAR_BLOCK - len, &piece, err) < 0)
			return -1;
		if (!piece.len)
			break;
		memcpy(self->carry + len, piece.data, piece.len);
		len += piece.len;
	}
	if (len && len < TAR_BLOCK)
		return rkt_fail(err, RKT_INVALID, "truncated: the stream ends within a header");
	return len > 0;
}

int tar_stream_expect_zeros(
	struct tar_stream *self, struct slice piece, const char *otherwise, rkt_error **err)
{
	size_t i = 0;

	if (tar_is_zero(piece.data, piece.len))
		return 0;
	while (!piece.data[i])
		i++;
	self->at = self->offset - piece.len + i;
	return rkt_fail(err, RKT_INVALID, "%s", otherwise);
}

int tar_stream_padding(struct tar_stream *self, unsigned len, rkt_error **err)
{
	while (len) {
		struct slice piece;

		if (tar_stream_take(self, len, &piece, err) < 0)
			return -1;
		if (!piece.len)
			return rkt_fail(err, RKT_INVALID,
				"truncated: the stream ends within the padding of a member");
		if (tar_stream_expect_zeros(
			    self, piece, "the padding of a member is not zero", err) < 0)
			return -1;
		len -= (unsigned)piece.len;
	}
	return 0;
}

int tar_stream_body(
	struct tar_stream *self, uint64_t size, uint64_t max, struct buf *out, rkt_error **err)
{
	out->len = 0;
	if (size > max)
		return rkt_fail(err, RKT_INVALID,
			"an extended header of %" PRIu64 " bytes, more than %" PRIu64, size, max);
	while (out->len < size) {
		struct slice piece;

		if (tar_stream_take(self, size - out->len, &piece, err) < 0)
			return -1;
		if (!piece.len)
			return rkt_fail(err, RKT_INVALID,
				"truncated: the stream ends within an extended header");
		buf_append(out, piece.data, piece.len);
	}
	return tar_stream_padding(self, tar_padding_of(size), err);
}
