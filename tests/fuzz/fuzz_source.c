/*
 * The source stack under any bytes: every kind of compression, alone and through a thread and a
 * tap. What comes out, and whether it comes to a good end, does not depend on how the input is cut
 * or on who pulls; limits hold (S-006, S-012).
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "aci/digest.h"
#include "aci/unpack.h"
#include "tests/unit/chunks.h"

#define UNPACKED_MAX (4u << 20)

static const struct unpack_limits limits = { .size_max = UNPACKED_MAX, .window_max = 1u << 20 };

/* What became of a stream. */
struct outcome {
	bool good;
	struct buf bytes;
	char digest[DIGEST_HEX_MAX + 1];
};

static source *stack(struct slice bytes, size_t chunk_len, bool threaded, rkt_error **err)
{
	source *in = source_unpack(chunks(bytes, chunk_len, NULL), &limits, NULL, err);

	return in && threaded ? source_threaded(in) : in;
}

static struct outcome read_all(struct slice bytes, size_t chunk_len, bool threaded)
{
	struct outcome outcome = { 0 };
	auto_error rkt_error *err = NULL;
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	source *in = stack(bytes, chunk_len, threaded, &err);

	outcome.good = in && drain(source_tap(in, digest_tap, sum), &outcome.bytes, &err) == 0;
	if (!outcome.good)
		promise_invalid(err);
	PROMISE(outcome.bytes.len <= UNPACKED_MAX);
	PROMISE(digest_hex(sum, outcome.digest, NULL) == 0);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { data, size };
	struct outcome whole = read_all(bytes, SIZE_MAX, false);
	struct outcome pieces = read_all(bytes, size % 97 + 1, false);
	/* threads cost more than all the rest */
	struct outcome threaded = read_all(bytes, size % 4093 + 1, size % 4 == 0);

	PROMISE(whole.good == pieces.good && whole.good == threaded.good);
	if (whole.good) {
		PROMISE(whole.bytes.len == pieces.bytes.len);
		PROMISE(whole.bytes.len == threaded.bytes.len);
		PROMISE(!strcmp(whole.digest, pieces.digest));
		PROMISE(!strcmp(whole.digest, threaded.digest));
	}
	buf_free(&whole.bytes);
	buf_free(&pieces.bytes);
	buf_free(&threaded.bytes);
	return 0;
}
