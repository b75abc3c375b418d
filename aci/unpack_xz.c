/*
 * xz by liblzma: what `xz -t` accepts, no more and no less (concatenated streams, padding between
 * and after them in multiples of four zero bytes).
 *
 * Files whose blocks name their sizes (`xz -T2` and better writes them so) are decoded by several
 * threads as long as that fits into THREADS_MEMORY; all others by one.
 */
#include "aci/unpack_kinds.h"

#include <lzma.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/library.h"

#if LZMA_VERSION >= UINT32_C(50040002)
#define XZ_THREADS(CALL, of) CALL(of, lzma_stream_decoder_mt)
#else
#define XZ_THREADS(CALL, of)
#endif
#define XZ_CALLS(CALL, of)            \
	XZ_THREADS(CALL, of)          \
	CALL(of, lzma_stream_decoder) \
	CALL(of, lzma_code)           \
	CALL(of, lzma_end)            \
	CALL(of, lzma_memusage)       \
	CALL(of, lzma_memlimit_get)
static LIBRARY_STRUCT(xz, XZ_CALLS) xz;
static LIBRARY_DEFINE(xz, LZMA_SONAME, XZ_CALLS);

/* `xz -T2 -6` makes blocks of 24 MiB, which two threads decode in 80 MiB. */
#define THREADS_MEMORY (UINT64_C(96) << 20)
#define THREADS_MAX    4
/* What a decoder needs beside its dictionary. */
#define DECODER_MEMORY (UINT64_C(2) << 20)

struct xz_decoder {
	struct decoder base;
	lzma_stream stream;
};

static int xz_fail(struct xz_decoder *s, lzma_ret status, rkt_error **err)
{
	switch (status) {
	case LZMA_MEM_ERROR:
		return rkt_fail(err, RKT_FAILED, "xz: out of memory");
	case LZMA_MEMLIMIT_ERROR:
		return rkt_fail(err, RKT_INVALID, "xz: needs %llu MiB of memory, %llu are allowed",
			(unsigned long long)(xz.lzma_memusage(&s->stream) >> 20),
			(unsigned long long)(xz.lzma_memlimit_get(&s->stream) >> 20));
	case LZMA_UNSUPPORTED_CHECK:
	case LZMA_OPTIONS_ERROR:
		return rkt_fail(err, RKT_INVALID, "xz: a filter or checksum nobody here knows");
	case LZMA_FORMAT_ERROR:
		return rkt_fail(err, RKT_INVALID, "xz: what follows the last stream is no xz");
	default:
		return rkt_fail(err, RKT_INVALID, "xz: damaged data or wrong checksum");
	}
}

static int xz_run(struct decoder *self, struct decode_io *io, rkt_error **err)
{
	struct xz_decoder *s = (struct xz_decoder *)self;
	lzma_stream *stream = &s->stream;
	lzma_ret status;

	stream->next_in = io->in.data;
	stream->avail_in = io->in.len;
	stream->next_out = io->out;
	stream->avail_out = io->out_left;
	status = xz.lzma_code(stream, io->in_ended ? LZMA_FINISH : LZMA_RUN);
	decode_io_eaten(io, io->in.len - stream->avail_in, io->out_left - stream->avail_out);
	if (status == LZMA_STREAM_END)
		return DECODE_END;
	if (status == LZMA_OK || status == LZMA_BUF_ERROR)
		return DECODE_MORE;
	return xz_fail(s, status, err);
}

static void xz_release(struct decoder *self)
{
	xz.lzma_end(&((struct xz_decoder *)self)->stream);
	free(self);
}

static const struct decoder_ops xz_ops = {
	.run = xz_run,
	.release = xz_release,
};

static lzma_ret xz_start(lzma_stream *stream, uint64_t memory_max)
{
	const uint32_t flags = LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK;

#if LZMA_VERSION >= UINT32_C(50040002)
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	lzma_mt options = {
		.flags = flags,
		.threads = processors < 1 ? 1 : (uint32_t)processors,
		.memlimit_threading = THREADS_MEMORY,
		.memlimit_stop = memory_max,
	};

	if (options.threads > THREADS_MAX)
		options.threads = THREADS_MAX;
	if (options.threads > 1)
		return xz.lzma_stream_decoder_mt(stream, &options);
#endif
	return xz.lzma_stream_decoder(stream, memory_max, flags);
}

struct decoder *decoder_xz(uint64_t window_max, rkt_error **err)
{
	struct xz_decoder *self;
	lzma_ret status;

	if (library_load(&xz_library, err) < 0)
		return NULL;
	self = xcalloc(1, sizeof *self);
	self->base.ops = &xz_ops;
	self->stream = (lzma_stream)LZMA_STREAM_INIT;
	status = xz_start(&self->stream, window_max + DECODER_MEMORY);
	if (status != LZMA_OK) {
		xz_fail(self, status, err);
		xz_release(&self->base);
		return NULL;
	}
	return &self->base;
}
