/*
 * Decompression: telling kinds apart, and the part that is the same for all of them, which is
 * members that follow each other, limits, and ends that come too early. unpack_KIND.c have the
 * rest.
 */
#include "aci/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "aci/blocks.h"
#include "aci/unpack_kinds.h"
#include "base/alloc.h"

#define SNIFF_LEN 32u
#define MAGIC_MAX 6u
/* Libraries count in 32 bits. */
#define INPUT_MAX  (SIZE_MAX >> 1 < (1u << 30) ? SIZE_MAX >> 1 : 1u << 30)
#define WINDOW_MAX (UINT64_C(64) << 20)

const struct unpack_limits unpack_limits_default = {
	.ratio_max = 1000,
	.ratio_from = UINT64_C(64) << 20,
	.window_max = WINDOW_MAX,
};

/* ---- telling kinds apart ------------------------------------------------------------------- */

/* How a member starts: (byte & mask) == magic for LEN bytes, of which SNIFF_LEN decide the kind. */
struct magic {
	enum compression kind;
	uint8_t sniff_len, len;
	uint8_t magic[MAGIC_MAX], mask[MAGIC_MAX];
};

static const struct magic magics[] = {
	/* method 8, no flag that RFC 1952 reserves */
	{ COMPRESSION_GZIP, 2, 4, { 0x1f, 0x8b, 8, 0 }, { 0xff, 0xff, 0xff, 0xe0 } },
	{ COMPRESSION_BZIP2, 3, 3, { 'B', 'Z', 'h' }, { 0xff, 0xff, 0xff } },
	{ COMPRESSION_XZ, 6, 6, { 0xfd, '7', 'z', 'X', 'Z', 0 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ COMPRESSION_ZSTD, 4, 4, { 0x28, 0xb5, 0x2f, 0xfd }, { 0xff, 0xff, 0xff, 0xff } },
	/* skippable frames */
	{ COMPRESSION_ZSTD, 4, 4, { 0x50, 0x2a, 0x4d, 0x18 }, { 0xf0, 0xff, 0xff, 0xff } },
};

static bool magic_fits(const struct magic *magic, struct slice bytes, size_t len)
{
	if (bytes.len < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((bytes.data[i] & magic->mask[i]) != magic->magic[i])
			return false;
	return true;
}

static enum compression sniff(struct slice start)
{
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (magic_fits(&magics[i], start, magics[i].sniff_len))
			return magics[i].kind;
	return COMPRESSION_NONE;
}

static size_t member_magic_len(enum compression kind)
{
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (magics[i].kind == kind)
			return magics[i].len;
	return 0;
}

static bool member_starts(enum compression kind, struct slice bytes)
{
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (magics[i].kind == kind && magic_fits(&magics[i], bytes, magics[i].len))
			return true;
	return false;
}

/* The version byte of the first packet's body, where an encrypted message would have it (RFC 4880,
 * 4.2: old and new packet headers), or -1. *RET_TAG is the packet's tag. */
static int pgp_version(struct slice start, unsigned *ret_tag)
{
	size_t header;

	if (start.len < 8 || !(start.data[0] & 0x80))
		return -1;
	if (start.data[0] & 0x40) {
		*ret_tag = start.data[0] & 0x3f;
		header = start.data[1] < 192 ? 2 : start.data[1] < 224 ? 3 : 6;
	} else {
		*ret_tag = start.data[0] >> 2 & 0xf;
		header = (size_t[]){ 2, 3, 5, 1 }[start.data[0] & 3];
	}
	return start.data[header];
}

/* An encrypted message starts with a session key: tag 1 (public key, version 3 or 6) or 3
 * (passphrase, version 4 to 6). No name in a tar starts with such bytes: a version is a control
 * character. */
static bool is_pgp_encrypted(struct slice start)
{
	static const char armor[] = "-----BEGIN PGP MESSAGE-----";
	unsigned tag = 0;
	int version = pgp_version(start, &tag);

	if (start.len >= sizeof armor - 1 && !memcmp(start.data, armor, sizeof armor - 1))
		return true;
	return (tag == 1 && (version == 3 || version == 6)) ||
	       (tag == 3 && version >= 4 && version <= 6);
}

const char *compression_name(enum compression kind)
{
	static const char *const names[] = {
		[COMPRESSION_NONE] = "none",
		[COMPRESSION_GZIP] = "gzip",
		[COMPRESSION_BZIP2] = "bzip2",
		[COMPRESSION_XZ] = "xz",
		[COMPRESSION_ZSTD] = "zstd",
	};

	return names[kind];
}

/* ---- the source ---------------------------------------------------------------------------- */

struct unpack_source {
	source base;
	source *below;
	struct unpack_limits limits;
	enum compression kind;
	struct decoder *decoder; /* NULL: not compressed */

	struct buf first; /* the start of the stream, when several blocks were needed to sniff */
	struct slice in;  /* what is left of the block lent by BELOW, or of FIRST */
	bool in_ended;
	bool in_member;
	bool ended;
	uint64_t members;
	uint64_t packed, unpacked; /* bytes so far */
	struct blocks blocks;
};

/* Makes IN non-empty, or sets IN_ENDED. */
static int refill(struct unpack_source *s, rkt_error **err)
{
	int got;

	if (s->in.len || s->in_ended)
		return 0;
	got = source_next(s->below, &s->in, err);
	if (!got)
		s->in_ended = true;
	return got < 0 ? -1 : 0;
}

static int check_limits(const struct unpack_source *s, rkt_error **err)
{
	const struct unpack_limits *limits = &s->limits;

	if (limits->size_max && s->unpacked > limits->size_max)
		return rkt_fail(err, RKT_INVALID, "%s: more than %llu bytes after decompression",
			compression_name(s->kind), (unsigned long long)limits->size_max);
	if (limits->ratio_max && s->unpacked > limits->ratio_from &&
		s->unpacked / limits->ratio_max > s->packed)
		return rkt_fail(err, RKT_INVALID, "%s: expands to more than %llu times its size",
			compression_name(s->kind), (unsigned long long)limits->ratio_max);
	return 0;
}

static int fail_truncated(const struct unpack_source *s, rkt_error **err)
{
	return rkt_fail(err, RKT_INVALID, "%s: truncated", compression_name(s->kind));
}

/* Decodes what is in IN, at most, and counts it. */
static int decode(struct unpack_source *s, struct decode_io *io, rkt_error **err)
{
	size_t before;
	int state;

	io->in = s->in;
	if (io->in.len > INPUT_MAX)
		io->in.len = INPUT_MAX;
	io->in_ended = s->in_ended;
	before = io->in.len;
	state = s->decoder->ops->run(s->decoder, io, err);
	s->packed += before - io->in.len;
	s->in.data += before - io->in.len;
	s->in.len -= before - io->in.len;
	return state;
}

/* Reads the first bytes of a member, checks that it is one, and feeds them to the decoder. Returns
 * 1, or 0 when the stream ended properly behind the member before. */
static int begin_member(struct unpack_source *s, struct decode_io *io, rkt_error **err)
{
	uint8_t start[MAGIC_MAX];
	size_t len = 0, want = member_magic_len(s->kind);

	while (len < want) {
		if (refill(s, err) < 0)
			return -1;
		if (s->in_ended)
			break;
		start[len++] = *s->in.data++;
		s->in.len--;
	}
	if (!len && s->members)
		return 0;
	if (!member_starts(s->kind, (struct slice){ start, len })) {
		if (s->members)
			return rkt_fail(err, RKT_INVALID, "%s: garbage after the last member",
				compression_name(s->kind));
		return len < want ? fail_truncated(s, err)
				  : rkt_fail(err, RKT_INVALID, "%s: damaged header",
					    compression_name(s->kind));
	}
	if (s->members && s->decoder->ops->restart(s->decoder, err) < 0)
		return -1;
	s->members++;
	s->in_member = true;
	io->in = (struct slice){ start, len };
	io->in_ended = false;
	while (io->in.len)
		if (s->decoder->ops->run(s->decoder, io, err) < 0)
			return -1;
	s->packed += len;
	return 1;
}

/* Fills IO's output as far as the stream goes. */
static int fill(struct unpack_source *s, struct decode_io *io, rkt_error **err)
{
	unsigned stalls = 0;

	while (io->out_left && !s->ended) {
		size_t out_before = io->out_left, in_before;
		int state;

		if (!s->in_member) {
			state = begin_member(s, io, err);
			if (state < 0)
				return -1;
			s->ended = !state;
			continue;
		}
		if (refill(s, err) < 0)
			return -1;
		in_before = s->in.len;
		state = decode(s, io, err);
		if (state < 0)
			return -1;
		if (state == DECODE_END) {
			s->in_member = false;
			s->ended = !s->decoder->ops->restart;
		}
		/* A decoder may need a second call at the end to know that nothing is left. */
		if (state == DECODE_MORE && out_before == io->out_left && in_before == s->in.len &&
			stalls++)
			return fail_truncated(s, err);
	}
	return 0;
}

static int unpack_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct unpack_source *s = (struct unpack_source *)self;
	struct decode_io io = { .out_left = SOURCE_BLOCK };
	uint8_t *block;

	if (s->ended)
		return 0;
	block = blocks_next(&s->blocks);
	io.out = block;
	if (fill(s, &io, err) < 0)
		return -1;
	s->unpacked += SOURCE_BLOCK - io.out_left;
	if (check_limits(s, err) < 0)
		return -1;
	*ret_block = (struct slice){ block, SOURCE_BLOCK - io.out_left };
	return ret_block->len > 0;
}

static bool unpack_keep(source *self, unsigned count)
{
	blocks_keep(&((struct unpack_source *)self)->blocks, count);
	return true;
}

static void unpack_interrupt(source *self)
{
	source_interrupt(((struct unpack_source *)self)->below);
}

static void unpack_release(source *self)
{
	struct unpack_source *s = (struct unpack_source *)self;

	if (s->decoder)
		s->decoder->ops->release(s->decoder);
	source_free(s->below);
	buf_free(&s->first);
	blocks_free(&s->blocks);
	free(s);
}

static const struct source_ops unpack_ops = {
	.next = unpack_next,
	.keep = unpack_keep,
	.interrupt = unpack_interrupt,
	.release = unpack_release,
};

/* ---- what is not compressed ---------------------------------------------------------------- */

static int plain_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct unpack_source *s = (struct unpack_source *)self;

	if (refill(s, err) < 0)
		return -1;
	if (s->in_ended)
		return 0;
	*ret_block = s->in;
	s->in.len = 0;
	s->packed += ret_block->len;
	s->unpacked += ret_block->len;
	return check_limits(s, err) < 0 ? -1 : 1;
}

static bool plain_keep(source *self, unsigned count)
{
	return source_keep(((struct unpack_source *)self)->below, count);
}

static const struct source_ops plain_ops = {
	.next = plain_next,
	.keep = plain_keep,
	.interrupt = unpack_interrupt,
	.release = unpack_release,
};

/* ---- opening ------------------------------------------------------------------------------- */

/* Makes IN the first bytes of the stream, SNIFF_LEN or more unless there are fewer. */
static int read_start(struct unpack_source *s, rkt_error **err)
{
	struct slice more;
	int got;

	if (refill(s, err) < 0)
		return -1;
	if (s->in_ended)
		return rkt_fail(err, RKT_INVALID, "empty: not an image");
	if (s->in.len >= SNIFF_LEN)
		return 0;
	buf_append(&s->first, s->in.data, s->in.len);
	while (s->first.len < SNIFF_LEN && (got = source_next(s->below, &more, err)))
		if (got < 0)
			return -1;
		else
			buf_append(&s->first, more.data, more.len);
	s->in = buf_slice(&s->first);
	return 0;
}

static struct decoder *decoder_new(enum compression kind, uint64_t window_max, rkt_error **err)
{
	switch (kind) {
	case COMPRESSION_GZIP:
		return decoder_gzip(err);
	case COMPRESSION_BZIP2:
		return decoder_bzip2(err);
	case COMPRESSION_XZ:
		return decoder_xz(window_max, err);
	case COMPRESSION_ZSTD:
		return decoder_zstd(window_max, err);
	case COMPRESSION_NONE:
		break;
	}
	return NULL;
}

/* Finds out the kind and sets S up for it. */
static int choose(struct unpack_source *s, rkt_error **err)
{
	if (read_start(s, err) < 0)
		return -1;
	if (is_pgp_encrypted(s->in))
		return rkt_fail(err, RKT_INVALID,
			"encrypted by OpenPGP: decrypt it first, for example with gpg");
	s->kind = sniff(s->in);
	if (s->kind == COMPRESSION_NONE)
		return 0;
	s->base.ops = &unpack_ops;
	s->in_member = s->kind == COMPRESSION_XZ;
	s->decoder = decoder_new(s->kind, s->limits.window_max ?: WINDOW_MAX, err);
	return s->decoder ? 0 : -1;
}

source *source_unpack(source *below, const struct unpack_limits *limits, enum compression *ret_kind,
	rkt_error **err)
{
	struct unpack_source *s = xcalloc(1, sizeof *s);

	s->base.ops = &plain_ops;
	s->below = below;
	s->limits = limits ? *limits : unpack_limits_default;
	if (choose(s, err) < 0) {
		source_free(&s->base);
		return NULL;
	}
	if (ret_kind)
		*ret_kind = s->kind;
	return &s->base;
}

source *source_unpack_threaded(source *below, const struct unpack_limits *limits,
	enum compression *ret_kind, rkt_error **err)
{
	source *top = source_unpack(below, limits, ret_kind, err);
	struct unpack_source *s = (struct unpack_source *)top;

	if (!top)
		return NULL;
	if (s->kind != COMPRESSION_NONE) /* nothing else would be done in between */
		s->below = source_threaded(s->below);
	return source_threaded(top);
}
