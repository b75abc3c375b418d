/*
 * gzip by isa-l, which inflates four times faster than zlib. unpack_gzip.c is the same by zlib.
 *
 * The library reads one member: header (with its checksum), data, CRC and length. It stops exactly
 * behind the trailer, so that unpack.c can look for the next member there.
 */
#include "aci/unpack_kinds.h"

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "base/alloc.h"

struct isal_decoder {
	struct decoder base;
	struct inflate_state state;
};

static int isal_fail(int status, rkt_error **err)
{
	switch (status) {
	case ISAL_INCORRECT_CHECKSUM:
		return rkt_fail(err, RKT_INVALID, "gzip: wrong checksum or length");
	case ISAL_INVALID_WRAPPER:
	case ISAL_UNSUPPORTED_METHOD:
		return rkt_fail(err, RKT_INVALID, "gzip: damaged header");
	default:
		return rkt_fail(err, RKT_INVALID, "gzip: damaged data");
	}
}

static int isal_run(struct decoder *self, struct decode_io *io, rkt_error **err)
{
	struct inflate_state *state = &((struct isal_decoder *)self)->state;
	int status;

	state->next_in = decoder_input(io->in.data);
	state->avail_in = (uint32_t)io->in.len;
	state->next_out = io->out;
	state->avail_out = (uint32_t)io->out_left;
	status = isal_inflate(state);
	if (status < 0)
		return isal_fail(status, err);
	decode_io_eaten(io, io->in.len - state->avail_in, io->out_left - state->avail_out);
	return state->block_state == ISAL_BLOCK_FINISH ? DECODE_END : DECODE_MORE;
}

static int isal_restart(struct decoder *self, rkt_error **err)
{
	(void)err;
	isal_inflate_reset(&((struct isal_decoder *)self)->state);
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
	struct isal_decoder *self = xcalloc(1, sizeof *self);

	(void)err;
	self->base.ops = &isal_ops;
	isal_inflate_init(&self->state);
	self->state.crc_flag = ISAL_GZIP;
	return &self->base;
}

#endif
