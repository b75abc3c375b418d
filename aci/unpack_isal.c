/*
 * gzip by isa-l, which inflates four times faster than zlib. unpack_gzip.c is the same by zlib.
 *
 * The library reads the data of one member and checks CRC and length behind them, where it stops,
 * so that unpack.c can look for the next member there. The header is ours (gzip_header.h).
 */
#include "aci/unpack_kinds.h"

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "aci/gzip_header.h"
#include "base/alloc.h"
#include "base/library.h"

#define ISAL_CALLS(CALL, of) \
	CALL(of, isal_inflate_init) CALL(of, isal_inflate) CALL(of, isal_inflate_reset)
static LIBRARY_STRUCT(isal, ISAL_CALLS) isal;
static LIBRARY_DEFINE(isal, ISAL_SONAME, ISAL_CALLS);

struct isal_decoder {
	struct decoder base;
	struct gzip_header header;
	struct inflate_state state;
};

static int read_header(struct gzip_header *header, struct decode_io *io, rkt_error **err)
{
	while (header->part != GZIP_HEADER_DONE && io->in.len) {
		if (gzip_header_add(header, *io->in.data, err) < 0)
			return -1;
		decode_io_eaten(io, 1, 0);
	}
	return 0;
}

static int isal_run(struct decoder *self, struct decode_io *io, rkt_error **err)
{
	struct isal_decoder *s = (struct isal_decoder *)self;
	struct inflate_state *state = &s->state;
	int status;

	if (read_header(&s->header, io, err) < 0)
		return -1;
	if (s->header.part != GZIP_HEADER_DONE)
		return DECODE_MORE;
	state->next_in = decoder_input(io->in.data);
	state->avail_in = (uint32_t)io->in.len;
	state->next_out = io->out;
	state->avail_out = (uint32_t)io->out_left;
	status = isal.isal_inflate(state);
	if (status < 0)
		return rkt_fail(err, RKT_INVALID,
			status == ISAL_INCORRECT_CHECKSUM ? "gzip: wrong checksum or length"
							  : "gzip: damaged data");
	decode_io_eaten(io, io->in.len - state->avail_in, io->out_left - state->avail_out);
	return state->block_state == ISAL_BLOCK_FINISH ? DECODE_END : DECODE_MORE;
}

static int isal_restart(struct decoder *self, rkt_error **err)
{
	struct isal_decoder *s = (struct isal_decoder *)self;

	(void)err;
	s->header = (struct gzip_header){ 0 };
	isal.isal_inflate_reset(&s->state);
	return 0;
}

static void isal_release(struct decoder *self)
{
	free(self);
}

static const struct decoder_ops isal_ops = {
	.run = isal_run,
	.restart = isal_restart,
	.release = isal_release,
};

struct decoder *decoder_gzip(rkt_error **err)
{
	struct isal_decoder *self;

	if (library_load(&isal_library, err) < 0)
		return NULL;
	self = xcalloc(1, sizeof *self);
	self->base.ops = &isal_ops;
	isal.isal_inflate_init(&self->state);
	self->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
	return &self->base;
}

#endif
