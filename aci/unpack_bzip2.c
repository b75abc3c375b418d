/* bzip2 by libbz2. Needs 3.7 MiB at most, whatever the file says. */
#include "aci/unpack_kinds.h"

#include <bzlib.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/library.h"

#define BZIP2_CALLS(CALL, of) \
	CALL(of, BZ2_bzDecompressInit) CALL(of, BZ2_bzDecompress) CALL(of, BZ2_bzDecompressEnd)
static LIBRARY_STRUCT(bzip2, BZIP2_CALLS) bzip2;
static LIBRARY_DEFINE(bzip2, BZ2_SONAME, BZIP2_CALLS);

struct bzip2_decoder {
	struct decoder base;
	bz_stream stream;
	bool begun; /* the library holds memory for STREAM */
};

static int bzip2_fail(int status, rkt_error **err)
{
	switch (status) {
	case BZ_MEM_ERROR:
		return rkt_fail(err, RKT_FAILED, "bzip2: out of memory");
	case BZ_DATA_ERROR_MAGIC:
		return rkt_fail(err, RKT_INVALID, "bzip2: damaged header");
	default:
		return rkt_fail(err, RKT_INVALID, "bzip2: damaged data or wrong checksum");
	}
}

static int bzip2_restart(struct decoder *self, rkt_error **err)
{
	struct bzip2_decoder *s = (struct bzip2_decoder *)self;
	int status;

	if (s->begun)
		bzip2.BZ2_bzDecompressEnd(&s->stream);
	s->stream = (bz_stream){ 0 };
	status = bzip2.BZ2_bzDecompressInit(&s->stream, 0, 0);
	s->begun = status == BZ_OK;
	return s->begun ? 0 : bzip2_fail(status, err);
}

static int bzip2_run(struct decoder *self, struct decode_io *io, rkt_error **err)
{
	bz_stream *stream = &((struct bzip2_decoder *)self)->stream;
	int status;

	stream->next_in = decoder_input(io->in.data);
	stream->avail_in = (unsigned)io->in.len;
	stream->next_out = (char *)io->out;
	stream->avail_out = (unsigned)io->out_left;
	status = bzip2.BZ2_bzDecompress(stream);
	decode_io_eaten(io, io->in.len - stream->avail_in, io->out_left - stream->avail_out);
	if (status == BZ_STREAM_END)
		return DECODE_END;
	return status == BZ_OK ? DECODE_MORE : bzip2_fail(status, err);
}

static void bzip2_release(struct decoder *self)
{
	struct bzip2_decoder *s = (struct bzip2_decoder *)self;

	if (s->begun)
		bzip2.BZ2_bzDecompressEnd(&s->stream);
	free(s);
}

static const struct decoder_ops bzip2_ops = {
	.run = bzip2_run,
	.restart = bzip2_restart,
	.release = bzip2_release,
};

struct decoder *decoder_bzip2(rkt_error **err)
{
	struct bzip2_decoder *self;

	if (library_load(&bzip2_library, err) < 0)
		return NULL;
	self = xcalloc(1, sizeof *self);
	self->base.ops = &bzip2_ops;
	if (bzip2_restart(&self->base, err) < 0) {
		free(self);
		return NULL;
	}
	return &self->base;
}
