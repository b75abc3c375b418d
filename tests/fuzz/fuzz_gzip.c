/*
 * Members of gzip, one after the other, against zlib's own reading of them (S-006): who verifies an
 * image by `gzip -dc | sha256sum` must see the same bytes as we, and the same end.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <zlib.h>

#include "aci/unpack.h"
#include "tests/unit/chunks.h"

#define UNPACKED_MAX (1u << 20)

/* Reads one member off the front of IN; appends what is in it to OUT. */
static bool oracle_member(struct slice *in, struct buf *out)
{
	z_stream stream = { 0 };
	int state;

	if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK)
		abort();
	stream.next_in = (uint8_t *)(uintptr_t)in->data;
	stream.avail_in = (unsigned)in->len;
	do {
		stream.next_out = buf_reserve(out, 65536);
		stream.avail_out = 65536;
		state = inflate(&stream, Z_NO_FLUSH);
		out->len += 65536 - stream.avail_out;
	} while (state == Z_OK && out->len <= UNPACKED_MAX);
	*in = (struct slice){ stream.next_in, stream.avail_in };
	inflateEnd(&stream);
	return state == Z_STREAM_END;
}

/* Whether IN is nothing but members, and not too large. */
static bool oracle(struct slice in, struct buf *out)
{
	while (in.len)
		if (!oracle_member(&in, out))
			return false;
	return out->len <= UNPACKED_MAX;
}

static bool unpack(struct slice bytes, size_t chunk_len, struct buf *out)
{
	const struct unpack_limits limits = { .size_max = UNPACKED_MAX };
	auto_error rkt_error *err = NULL;
	source *in = source_unpack(chunks(bytes, chunk_len, NULL), &limits, NULL, &err);
	int got = in ? drain(in, out, &err) : -1;

	if (got < 0)
		promise_invalid(err);
	return got == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf expected = { 0 }, whole = { 0 }, pieces = { 0 };
	struct slice bytes = { data, size };
	bool good;

	if (size < 2 || data[0] != 0x1f || data[1] != 0x8b)
		return -1;
	good = oracle(bytes, &expected);
	PROMISE(unpack(bytes, SIZE_MAX, &whole) == good);
	PROMISE(unpack(bytes, size % 61 + 1, &pieces) == good);
	if (good) {
		PROMISE(whole.len == expected.len && pieces.len == expected.len);
		PROMISE(!expected.len || !memcmp(whole.data, expected.data, expected.len));
		PROMISE(!expected.len || !memcmp(pieces.data, expected.data, expected.len));
	}
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	return gzip_mutate(data, size, max_size, seed);
}
