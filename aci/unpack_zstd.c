/* zstd by libzstd. A frame is a member; skippable frames (RFC 8878, 3.1.2) give nothing. */
#include "aci/unpack_kinds.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/library.h"

#define ZSTD_CALLS(CALL, of)             \
	CALL(of, ZSTD_DCtx_reset)        \
	CALL(of, ZSTD_DCtx_setParameter) \
	CALL(of, ZSTD_createDCtx)        \
	CALL(of, ZSTD_dParam_getBounds)  \
	CALL(of, ZSTD_decompressStream)  \
	CALL(of, ZSTD_freeDCtx)          \
	CALL(of, ZSTD_getErrorCode)      \
	CALL(of, ZSTD_getErrorName)      \
	CALL(of, ZSTD_isError)
static LIBRARY_STRUCT(zstd, ZSTD_CALLS) zstd;
static LIBRARY_DEFINE(zstd, ZSTD_SONAME, ZSTD_CALLS);

struct zstd_decoder {
	struct decoder base;
	ZSTD_DCtx *context;
};

static int zstd_fail(size_t status, rkt_error **err)
{
	switch (zstd.ZSTD_getErrorCode(status)) {
	case ZSTD_error_memory_allocation:
		return rkt_fail(err, RKT_FAILED, "zstd: out of memory");
	case ZSTD_error_frameParameter_windowTooLarge:
		return rkt_fail(err, RKT_INVALID, "zstd: the window is larger than allowed");
	case ZSTD_error_checksum_wrong:
		return rkt_fail(err, RKT_INVALID, "zstd: wrong checksum");
	default:
		return rkt_fail(err, RKT_INVALID, "zstd: %s", zstd.ZSTD_getErrorName(status));
	}
}

static int zstd_run(struct decoder *self, struct decode_io *io, rkt_error **err)
{
	ZSTD_inBuffer in = { io->in.data, io->in.len, 0 };
	ZSTD_outBuffer out = { io->out, io->out_left, 0 };
	size_t left = zstd.ZSTD_decompressStream(((struct zstd_decoder *)self)->context, &out, &in);

	if (zstd.ZSTD_isError(left))
		return zstd_fail(left, err);
	decode_io_eaten(io, in.pos, out.pos);
	return left ? DECODE_MORE : DECODE_END;
}

static int zstd_restart(struct decoder *self, rkt_error **err)
{
	size_t status = zstd.ZSTD_DCtx_reset(
		((struct zstd_decoder *)self)->context, ZSTD_reset_session_only);

	return zstd.ZSTD_isError(status) ? zstd_fail(status, err) : 0;
}

static void zstd_release(struct decoder *self)
{
	zstd.ZSTD_freeDCtx(((struct zstd_decoder *)self)->context);
	free(self);
}

static const struct decoder_ops zstd_ops = {
	.run = zstd_run,
	.restart = zstd_restart,
	.release = zstd_release,
};

/* The library takes the limit as a power of two: the largest that is not above BYTES. */
static int window_log(uint64_t bytes)
{
	ZSTD_bounds bounds = zstd.ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
	int log = bounds.lowerBound;

	while (log < bounds.upperBound && UINT64_C(2) << log <= bytes)
		log++;
	return log;
}

struct decoder *decoder_zstd(uint64_t window_max, rkt_error **err)
{
	struct zstd_decoder *self;

	if (library_load(&zstd_library, err) < 0)
		return NULL;
	self = xcalloc(1, sizeof *self);
	self->base.ops = &zstd_ops;
	self->context = zstd.ZSTD_createDCtx();
	if (!self->context || zstd.ZSTD_isError(zstd.ZSTD_DCtx_setParameter(self->context,
				      ZSTD_d_windowLogMax, window_log(window_max)))) {
		zstd_release(&self->base);
		rkt_fail(err, RKT_FAILED, "zstd: the library cannot start");
		return NULL;
	}
	return &self->base;
}
