/* gzip by zlib, for builds without isa-l (unpack_isal.c). */
#include "aci/unpack_kinds.h"

#ifndef HAVE_ISAL

#define ZLIB_CONST
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"

#define GZIP_WINDOW_BITS (16 + MAX_WBITS) /* gzip's wrapper only, not zlib's */

struct zlib_decoder {
	struct decoder base;
	z_stream stream;
};

static int zlib_run(struct decoder *self, struct decode_io *io, rkt_error **err)
{
	z_stream *stream = &((struct zlib_decoder *)self)->stream;
	int status;

	stream->next_in = io->in.data;
	stream->avail_in = (uInt)io->in.len;
	stream->next_out = io->out;
	stream->avail_out = (uInt)io->out_left;
	status = inflate(stream, Z_NO_FLUSH);
	decode_io_eaten(io, io->in.len - stream->avail_in, io->out_left - stream->avail_out);
	switch (status) {
	case Z_STREAM_END:
		return DECODE_END;
	case Z_OK:
	case Z_BUF_ERROR:
		return DECODE_MORE;
	case Z_MEM_ERROR:
		return rkt_fail(err, RKT_FAILED, "gzip: out of memory");
	default:
		return rkt_fail(
			err, RKT_INVALID, "gzip: %s", stream->msg ? stream->msg : "damaged data");
	}
}

static int zlib_restart(struct decoder *self, rkt_error **err)
{
	if (inflateReset(&((struct zlib_decoder *)self)->stream) != Z_OK)
		return rkt_fail(err, RKT_FAILED, "gzip: zlib cannot start again");
	return 0;
}

static void zlib_release(struct decoder *self)
{
	inflateEnd(&((struct zlib_decoder *)self)->stream);
	free(self);
}

static const struct decoder_ops zlib_ops = {
	.run = zlib_run,
	.restart = zlib_restart,
	.release = zlib_release,
};

struct decoder *decoder_gzip(rkt_error **err)
{
	struct zlib_decoder *self = xcalloc(1, sizeof *self);

	self->base.ops = &zlib_ops;
	if (inflateInit2(&self->stream, GZIP_WINDOW_BITS) != Z_OK) {
		free(self);
		rkt_fail(err, RKT_FAILED, "gzip: zlib cannot start");
		return NULL;
	}
	return &self->base;
}

#endif
