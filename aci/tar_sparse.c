/* Sparse members: the four forms, read into one list. */
#include "aci/tar_sparse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "aci/tar_digits.h"
#include "aci/tar_header.h"
#include "base/alloc.h"
#include "base/str.h"

enum key { SIZE, REALSIZE, NUMBLOCKS, MAJOR, MINOR, NAME, MAP, OFFSET, NUMBYTES };

#define HAS(self, key) ((self)->given >> (key)&1u)
#define BIT(key)       (1u << (key))

void tar_sparse_reset(struct tar_sparse *self)
{
	struct tar_extent *extents = self->extents;
	size_t room = self->room;
	uint64_t max = self->max;

	*self = (struct tar_sparse){ .extents = extents, .room = room, .max = max };
}

void tar_sparse_free(struct tar_sparse *self)
{
	free(self->extents);
	*self = (struct tar_sparse){ 0 };
}

bool tar_sparse_is(const struct tar_sparse *self)
{
	return self->gnu || self->given;
}

static int fail(rkt_error **err, const char *why)
{
	return rkt_fail(err, RKT_INVALID, "sparse member: %s", why);
}

/* Takes in the run of LEN bytes at OFFSET. */
static int add_run(struct tar_sparse *self, uint64_t offset, uint64_t len, rkt_error **err)
{
	uint64_t end;

	self->seen++;
	if (offset < self->next)
		return fail(err, "runs overlap, or do not rise");
	if (__builtin_add_overflow(offset, len, &end) || end > INT64_MAX)
		return fail(err, "a run is too large");
	self->next = end;
	if (self->seen > self->max)
		return rkt_fail(err, RKT_INVALID,
			"sparse member: more than %" PRIu64 " runs of data", self->max);
	if (!len)
		return 0;
	if (self->count == self->room) {
		self->room = self->room ? self->room * 2 : 16;
		self->extents = xreallocarray(self->extents, self->room, sizeof *self->extents);
	}
	self->extents[self->count++] = (struct tar_extent){ offset, len };
	self->stored += len;
	return 0;
}

/* ---- pax ----------------------------------------------------------------------------------- */

static int read_number(struct slice value, uint64_t *ret, rkt_error **err)
{
	if (!tar_digits_all(value.data, value.len, INT64_MAX, ret))
		return fail(err, "a number is malformed");
	return 0;
}

/* pax 0.1: "offset,length,offset,length,..." */
static int read_map(struct tar_sparse *self, struct slice value, rkt_error **err)
{
	const uint8_t *at = value.data, *end = at + value.len;

	while (at < end) {
		uint64_t offset, len;

		if (!tar_digits(&at, end, &offset) || at == end || *at++ != ',' ||
			!tar_digits(&at, end, &len) || (at < end && *at++ != ','))
			return fail(err, "the map is malformed");
		if (add_run(self, offset, len, err) < 0)
			return -1;
	}
	return 0;
}

/* pax 0.0: offset and length come in turns, as often as needed. */
static int take_pair(struct tar_sparse *self, enum key key, struct slice value, rkt_error **err)
{
	uint64_t number = 0;

	self->given |= BIT(key);
	if (read_number(value, &number, err) < 0)
		return -1;
	if (self->open == (key == OFFSET))
		return fail(err, "offsets and lengths do not come in turns");
	self->open = key == OFFSET;
	if (!self->open)
		return add_run(self, self->offset, number, err);
	self->offset = number;
	return 0;
}

static int take_key(struct tar_sparse *self, enum key key, struct slice value, rkt_error **err)
{
	if (key == OFFSET || key == NUMBYTES)
		return take_pair(self, key, value, err);
	if (HAS(self, key))
		return fail(err, "a key is given twice");
	self->given |= BIT(key);
	switch (key) {
	case SIZE:
	case REALSIZE:
		return read_number(value, &self->size, err);
	case NUMBLOCKS:
		return read_number(value, &self->announced, err);
	case MAJOR:
		return read_number(value, &self->major, err);
	case MINOR:
		return read_number(value, &self->minor, err);
	case MAP:
		return read_map(self, value, err);
	default:
		self->name = value;
		return value.len && !memchr(value.data, '\0', value.len)
			       ? 0
			       : fail(err, "a name that is empty or has a NUL byte in it");
	}
}

int tar_sparse_take(struct tar_sparse *self, const char *key, struct slice value, rkt_error **err)
{
	static const char *const keys[] = {
		[SIZE] = "size",
		[REALSIZE] = "realsize",
		[NUMBLOCKS] = "numblocks",
		[MAJOR] = "major",
		[MINOR] = "minor",
		[NAME] = "name",
		[MAP] = "map",
		[OFFSET] = "offset",
		[NUMBYTES] = "numbytes",
	};

	if (!strcmp(key, "SUN.holesdata"))
		return fail(err, "the form of Solaris (SUN.holesdata) is not supported");
	if (!str_has_prefix(key, "GNU.sparse."))
		return 0;
	key += strlen("GNU.sparse.");
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
		if (!strcmp(key, keys[i]))
			return take_key(self, (enum key)i, value, err) < 0 ? -1 : 1;
	return rkt_fail(err, RKT_INVALID, "sparse member: unknown key GNU.sparse.%.40s", key);
}

/* The keys of a pax header must be those of one form. */
static int check_form(const struct tar_sparse *self, rkt_error **err)
{
	const unsigned form_0_0 = BIT(SIZE) | BIT(NUMBLOCKS), pairs = BIT(OFFSET) | BIT(NUMBYTES),
		       form_0_1 = BIT(SIZE) | BIT(NUMBLOCKS) | BIT(MAP),
		       form_1_0 = BIT(REALSIZE) | BIT(MAJOR) | BIT(MINOR);
	unsigned keys = self->given & ~BIT(NAME);

	if (self->open)
		return fail(err, "an offset without a length");
	if (keys == form_1_0)
		return self->major == 1 && !self->minor ? 0
							: rkt_fail(err, RKT_INVALID,
								  "sparse member: version %" PRIu64
								  ".%" PRIu64 " is not supported",
								  self->major, self->minor);
	if (keys != form_0_0 && keys != (form_0_0 | pairs) && keys != form_0_1)
		return fail(err,
			"the keys of its pax header make none of the versions 0.0, 0.1 and 1.0");
	if (self->seen != self->announced)
		return rkt_fail(err, RKT_INVALID,
			"sparse member: %" PRIu64 " runs are announced, %" PRIu64 " are there",
			self->announced, self->seen);
	return 0;
}

/* ---- the list before the data -------------------------------------------------------------- */

struct map_reader {
	struct tar_stream *stream;
	uint64_t left; /* bytes of the member not read yet */
	const uint8_t *at, *end;
};

/* Reads one line with a number, across blocks. */
static int read_line(struct map_reader *map, uint64_t *ret, rkt_error **err)
{
	uint8_t digits[20];
	size_t len = 0;

	for (;;) {
		uint8_t byte;

		if (map->at == map->end) {
			int got = 0;

			if (map->left >= TAR_BLOCK)
				got = tar_stream_block(map->stream, &map->at, err);
			if (got < 0)
				return -1;
			if (!got)
				return fail(err, "truncated: its map is longer than its data");
			map->left -= TAR_BLOCK;
			map->end = map->at + TAR_BLOCK;
		}
		byte = *map->at++;
		if (byte == '\n')
			return read_number((struct slice){ digits, len }, ret, err);
		if (len == sizeof digits)
			return fail(err, "a number is malformed");
		digits[len++] = byte;
	}
}

static int read_map_before_data(
	struct tar_sparse *self, struct tar_stream *stream, uint64_t *stored, rkt_error **err)
{
	struct map_reader map = { .stream = stream, .left = *stored };
	uint64_t count = 0;

	if (read_line(&map, &count, err) < 0)
		return -1;
	while (self->seen < count) {
		uint64_t offset, len;

		if (read_line(&map, &offset, err) < 0 || read_line(&map, &len, err) < 0 ||
			add_run(self, offset, len, err) < 0)
			return -1;
	}
	*stored = map.left;
	if (!tar_is_zero(map.at, (size_t)(map.end - map.at)))
		return fail(err, "the padding of its map is not zero");
	return 0;
}

/* ---- GNU ----------------------------------------------------------------------------------- */

#define GNU_FIELD       12u
#define GNU_RUN         24u /* offset and length */
#define GNU_HEADER_RUNS 4u
#define GNU_BLOCK_RUNS  21u
#define GNU_SIZE_OFFSET (GNU_HEADER_RUNS * GNU_RUN + 1)

/* Reads COUNT runs at FIELDS, after which the list goes on if there are MORE. It ends before a run
 * that is all zeros. Where one has no offset, or no length, or something follows, programs differ
 * on where the end is. */
static int read_gnu_runs(
	struct tar_sparse *self, const uint8_t *fields, unsigned count, bool more, rkt_error **err)
{
	for (; count; count--, fields += GNU_RUN) {
		uint64_t offset = 0, len = 0;

		if (!fields[0] || !fields[GNU_FIELD]) {
			if (more || !tar_is_zero(fields, (size_t)count * GNU_RUN))
				return fail(err, "its map goes on after an empty run");
			break;
		}
		if (tar_header_number(fields, "offset of a run", &offset, err) < 0 ||
			tar_header_number(fields + GNU_FIELD, "length of a run", &len, err) < 0 ||
			add_run(self, offset, len, err) < 0)
			return -1;
	}
	return 0;
}

int tar_sparse_read_gnu(
	struct tar_sparse *self, const uint8_t *fields, struct tar_stream *stream, rkt_error **err)
{
	bool more = fields[GNU_HEADER_RUNS * GNU_RUN];

	self->gnu = true;
	if (self->given)
		return fail(err, "both a GNU and a pax header say so");
	if (tar_header_number(fields + GNU_SIZE_OFFSET, "realsize", &self->size, err) < 0 ||
		read_gnu_runs(self, fields, GNU_HEADER_RUNS, more, err) < 0)
		return -1;
	while (more) {
		const uint8_t *block = NULL;
		int got = tar_stream_block(stream, &block, err);

		if (got < 0)
			return -1;
		if (!got)
			return fail(err, "truncated: the stream ends within its map");
		if (!block[0])
			return fail(err, "an empty block continues its map");
		more = block[GNU_BLOCK_RUNS * GNU_RUN];
		if (read_gnu_runs(self, block, GNU_BLOCK_RUNS, more, err) < 0)
			return -1;
	}
	return 0;
}

int tar_sparse_finish(
	struct tar_sparse *self, struct tar_stream *stream, uint64_t *stored, rkt_error **err)
{
	if (!self->gnu && check_form(self, err) < 0)
		return -1;
	if (!self->gnu && HAS(self, MAJOR) && read_map_before_data(self, stream, stored, err) < 0)
		return -1;
	if (self->next > self->size)
		return fail(err, "a run lies beyond the end of the file");
	if (self->stored != *stored)
		return rkt_fail(err, RKT_INVALID,
			"sparse member: its runs have %" PRIu64 " bytes, its data %" PRIu64,
			self->stored, *stored);
	return 0;
}
