/* What unpack.c asks of a decompressor. Each stands in a file of its own, the one door to its
 * library. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aci/unpack.h"

/* What a decoder works on; it moves IN and OUT along as it eats and writes. */
struct decode_io {
	struct slice in;
	uint8_t *out;
	size_t out_left;
	bool in_ended; /* nothing follows IN */
};

enum decode_state {
	DECODE_MORE, /* IN is used up, or OUT is full */
	DECODE_END,  /* the member is over, and its checksum was right; IN is what follows it */
};

struct decoder {
	const struct decoder_ops *ops;
};

struct decoder_ops {
	/* Returns a decode_state, or -1 with *err set. A call that moves nothing is not an
	 * error. */
	int (*run)(struct decoder *self, struct decode_io *io, rkt_error **err);
	/* Gets ready for another member. NULL: concatenated members are the decoder's own business,
	 * and DECODE_END is the end of the whole stream. */
	int (*restart)(struct decoder *self, rkt_error **err);
	void (*release)(struct decoder *self);
};

/* NULL with *err set when the library cannot be set up. */
struct decoder *decoder_gzip(rkt_error **err);
struct decoder *decoder_bzip2(rkt_error **err);
struct decoder *decoder_xz(uint64_t window_max, rkt_error **err);
struct decoder *decoder_zstd(uint64_t window_max, rkt_error **err);

/* Of C libraries that forgot a const. They do not write there. */
static inline void *decoder_input(const uint8_t *bytes)
{
	return (void *)(uintptr_t)bytes;
}

static inline void decode_io_eaten(struct decode_io *io, size_t in, size_t out)
{
	io->in.data += in;
	io->in.len -= in;
	io->out += out;
	io->out_left -= out;
}
