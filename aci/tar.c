/*
 * The walk over a tar. tar_header.c and tar_pax.c read what headers say, tar_safe.c names; here
 * they become one entry, or are found to contradict each other.
 */
#include "aci/tar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "aci/tar_header.h"
#include "aci/tar_pax.h"
#include "aci/tar_safe.h"
#include "aci/tar_stream.h"
#include "base/alloc.h"

/* No stream is longer, so that offsets and sizes can be added. */
#define OFFSET_MAX (UINT64_MAX / 4)

const struct tar_limits tar_limits_default = {
	.entries_max = 4000000,
	.path_max = TAR_PATH_MAX,
	.part_max = TAR_PART_MAX,
	.depth_max = 1024,
	.pax_max = 1024 * 1024,
	.xattrs_max = 64 * 1024,
	.extents_max = 262144,
};

/* The bodies of extended headers before a member. A body is there when its bit in SEEN is set. */
enum extension { LONG_NAME = 1, LONG_LINK = 2, PAX = 4 };

struct tar_reader {
	struct tar_stream stream;
	struct tar_limits limits;

	uint64_t data_left;
	unsigned padding_left;
	uint64_t entry_count;
	bool ended;

	unsigned seen;
	struct buf long_name, long_link, pax_bytes, global_bytes;
	struct tar_pax pax, global;
	struct buf raw, path, link, other;
	struct tar_entry entry;
};

/* As tar_data(), without the place in the error. */
static int next_data(tar_reader *self, struct slice *ret, rkt_error **err)
{
	if (!self->data_left)
		return 0;
	if (tar_stream_take(&self->stream, self->data_left, ret, err) < 0)
		return -1;
	if (!ret->len)
		return rkt_fail(err, RKT_INVALID, "%s: truncated: %" PRIu64 " bytes are missing",
			self->entry.path, self->data_left);
	self->data_left -= ret->len;
	return 1;
}

/* Passes over what nobody wanted of the present member. */
static int finish_entry(tar_reader *self, rkt_error **err)
{
	struct slice piece;
	int got;

	while ((got = next_data(self, &piece, err)) > 0)
		self->stream.at = self->stream.offset;
	if (got < 0)
		return -1;
	got = tar_stream_padding(&self->stream, self->padding_left, err);
	self->padding_left = 0;
	return got;
}

/* ---- extended headers ---------------------------------------------------------------------- */

static int see(tar_reader *self, enum extension what, rkt_error **err)
{
	if (self->seen & what)
		return rkt_fail(
			err, RKT_INVALID, "two extended headers of one kind for one member");
	self->seen |= what;
	return 0;
}

/* GNU's long name or link: the text with its NUL. */
static int read_long(tar_reader *self, uint64_t size, struct buf *out, rkt_error **err)
{
	if (tar_stream_body(&self->stream, size, self->limits.pax_max, out, err) < 0)
		return -1;
	while (out->len && !out->data[out->len - 1])
		out->len--;
	if (!out->len)
		return rkt_fail(err, RKT_INVALID, "an empty GNU long name");
	return 0;
}

static int read_global(tar_reader *self, uint64_t size, rkt_error **err)
{
	if (self->seen)
		return rkt_fail(
			err, RKT_INVALID, "a global header between a member and its own header");
	if (tar_stream_body(&self->stream, size, self->limits.pax_max, &self->global_bytes, err) <
			0 ||
		tar_pax_read(&self->pax, &self->global_bytes, PAX_GLOBAL, self->limits.xattrs_max,
			err) < 0)
		return -1;
	tar_pax_merge_global(&self->global, &self->pax);
	tar_pax_reset(&self->pax);
	return 0;
}

/* Takes in HEADER if it says something about other members: 1 it did, 0 it is a member, -1
 * error. */
static int take_extension(tar_reader *self, const struct tar_header *header, rkt_error **err)
{
	int result;

	switch (header->type) {
	case 'L':
		result = see(self, LONG_NAME, err);
		if (!result)
			result = read_long(self, header->size, &self->long_name, err);
		break;
	case 'K':
		result = see(self, LONG_LINK, err);
		if (!result)
			result = read_long(self, header->size, &self->long_link, err);
		break;
	case 'x':
		result = see(self, PAX, err);
		if (!result)
			result = tar_stream_body(&self->stream, header->size, self->limits.pax_max,
				&self->pax_bytes, err);
		if (!result)
			result = tar_pax_read(&self->pax, &self->pax_bytes, PAX_MEMBER,
				self->limits.xattrs_max, err);
		break;
	case 'g':
		result = read_global(self, header->size, err);
		break;
	default:
		return 0;
	}
	return result < 0 ? -1 : 1;
}

/* ---- a member ------------------------------------------------------------------------------ */

static int fail_type(char type, rkt_error **err)
{
	switch (type) {
	case 'S':
		return rkt_fail(err, RKT_INVALID, "a sparse member that is not GNU's (type S)");
	case 'M':
		return rkt_fail(err, RKT_INVALID, "a part of a multi-volume archive (GNU type M)");
	case 'V':
		return rkt_fail(err, RKT_INVALID, "a volume label (GNU type V)");
	case 'D':
		return rkt_fail(err, RKT_INVALID, "an incremental backup (GNU type D)");
	default:
		return rkt_fail(
			err, RKT_INVALID, "unknown member type 0x%02x", (unsigned char)type);
	}
}

static int type_of(char type, enum tar_type *ret, rkt_error **err)
{
	switch (type) {
	case '\0':
	case '0':
	case '7': /* contiguous: a file to everybody today */
		*ret = TAR_FILE;
		return 0;
	case '1':
		*ret = TAR_HARDLINK;
		return 0;
	case '2':
		*ret = TAR_SYMLINK;
		return 0;
	case '3':
		*ret = TAR_CHAR;
		return 0;
	case '4':
		*ret = TAR_BLOCKDEV;
		return 0;
	case '5':
		*ret = TAR_DIR;
		return 0;
	case '6':
		*ret = TAR_FIFO;
		return 0;
	default:
		return fail_type(type, err);
	}
}

/* The name as the header block has it, copied: the block goes when the next one is read. */
static void copy_header_name(tar_reader *self, const struct tar_header *header)
{
	self->raw.len = 0;
	if (header->prefix.len) {
		buf_append(&self->raw, header->prefix.data, header->prefix.len);
		buf_append_text(&self->raw, "/");
	}
	buf_append(&self->raw, header->name.data, header->name.len);
}

/* GNU and pax both may give a long name. They must agree. */
static int check_agree(tar_reader *self, const char *what, struct slice gnu,
	const struct buf *chosen, rkt_error **err)
{
	if (tar_safe_path(gnu, &self->limits, &self->other, err) < 0)
		return -1;
	if (self->other.len != chosen->len ||
		memcmp(self->other.data, chosen->data, chosen->len) != 0)
		return rkt_fail(
			err, RKT_INVALID, "the %s in the GNU and in the pax header differ", what);
	return 0;
}

static int set_path(tar_reader *self, const struct tar_header *header, rkt_error **err)
{
	struct tar_entry *entry = &self->entry;
	struct slice true_name =
		self->pax.sparse.name; /* the others name a place for old readers */
	bool by_pax = true_name.len || tar_pax_has(&self->pax, PAX_PATH),
	     by_gnu = self->seen & LONG_NAME;
	struct slice raw;

	copy_header_name(self, header);
	raw = true_name.len ? true_name
	      : by_pax      ? self->pax.path
			    : buf_slice(by_gnu ? &self->long_name : &self->raw);
	if (tar_safe_path(raw, &self->limits, &self->path, err) < 0)
		return -1;
	if (by_pax && by_gnu &&
		check_agree(self, "names", buf_slice(&self->long_name), &self->path, err) < 0)
		return -1;
	entry->path = (const char *)self->path.data;
	entry->path_len = self->path.len;
	if (entry->type == TAR_FILE && tar_safe_names_dir(raw)) {
		if (header->type)
			return rkt_fail(
				err, RKT_INVALID, "%s: a file named like a directory", entry->path);
		entry->type = TAR_DIR; /* how v7 writes them */
	}
	if (!entry->path_len && entry->type != TAR_DIR)
		return rkt_fail(err, RKT_INVALID, "the top is not a directory");
	return 0;
}

static int set_link(tar_reader *self, const struct tar_header *header, rkt_error **err)
{
	struct tar_entry *entry = &self->entry;
	bool by_pax = tar_pax_has(&self->pax, PAX_LINKPATH), by_gnu = self->seen & LONG_LINK;
	struct slice raw;

	if (entry->type != TAR_HARDLINK && entry->type != TAR_SYMLINK)
		return 0;
	raw = by_pax ? self->pax.linkpath : by_gnu ? buf_slice(&self->long_link) : header->link;
	if (by_pax && by_gnu &&
		(raw.len != self->long_link.len ||
			memcmp(raw.data, self->long_link.data, raw.len) != 0))
		return rkt_fail(err, RKT_INVALID,
			"%s: the link targets in the GNU and in the pax header differ",
			entry->path);
	if (entry->type == TAR_SYMLINK ? tar_safe_target(raw, &self->link, err) < 0
				       : tar_safe_path(raw, &self->limits, &self->link, err) < 0)
		return rkt_fail_outer(err, "the link %s", entry->path);
	if (!self->link.len)
		return rkt_fail(err, RKT_INVALID, "%s: a hard link to the top", entry->path);
	entry->link = (const char *)self->link.data;
	return 0;
}

/* A size too large for the header block is in the pax header only. */
static bool leaves_size_to_pax(const struct tar_header *header)
{
	return !header->size || header->size == TAR_OCTAL_SIZE_MAX ||
	       header->size == TAR_OCTAL_SIZE_MAX_FULL;
}

static int set_size(tar_reader *self, const struct tar_header *header, rkt_error **err)
{
	struct tar_entry *entry = &self->entry;
	uint64_t size = header->size;

	if (tar_pax_has(&self->pax, PAX_SIZE)) {
		size = self->pax.size;
		if (!leaves_size_to_pax(header) && header->size != size)
			return rkt_fail(err, RKT_INVALID,
				"%s: the sizes in the header and in the pax header differ",
				entry->path);
	}
	if (size > OFFSET_MAX)
		return rkt_fail(err, RKT_INVALID, "%s: too large", entry->path);
	if (size && entry->type != TAR_FILE)
		return rkt_fail(
			err, RKT_INVALID, "%s: data in a member that is not a file", entry->path);
	entry->size = entry->stored = size;
	self->padding_left = tar_padding_of(size);
	return 0;
}

/* Where the data belong, when the headers say that there are holes. Moves the stream to the
 * data. */
static int set_extents(tar_reader *self, const struct tar_header *header, rkt_error **err)
{
	struct tar_entry *entry = &self->entry;
	struct tar_sparse *sparse = &self->pax.sparse;
	int result = 0;

	if (header->sparse)
		result = tar_sparse_read_gnu(sparse, header->sparse, &self->stream, err);
	entry->sparse = tar_sparse_is(sparse);
	entry->extents = NULL;
	entry->extent_count = 0;
	if (!entry->sparse)
		return 0;
	if (!result && entry->type != TAR_FILE)
		result = rkt_fail(err, RKT_INVALID, "sparse, but not a file");
	if (!result)
		result = tar_sparse_finish(sparse, &self->stream, &entry->stored, err);
	if (!result && sparse->size > OFFSET_MAX)
		result = rkt_fail(err, RKT_INVALID, "too large");
	if (result < 0)
		return self->stream.failed ? -1 : rkt_fail_outer(err, "%s", entry->path);
	entry->size = sparse->size;
	entry->extents = sparse->extents;
	entry->extent_count = sparse->count;
	return 0;
}

/* A member's own pax header goes before the global one, that before the header block; an empty
 * value in the first voids the second. */
static const struct tar_pax *who_says(const tar_reader *self, enum pax_key key)
{
	if (self->pax.given & 1u << key)
		return tar_pax_has(&self->pax, key) ? &self->pax : NULL;
	return tar_pax_has(&self->global, key) ? &self->global : NULL;
}

static void set_attributes(tar_reader *self, const struct tar_header *header)
{
	struct tar_entry *entry = &self->entry;
	const struct tar_pax *uid = who_says(self, PAX_UID), *gid = who_says(self, PAX_GID),
			     *mtime = who_says(self, PAX_MTIME);

	entry->mode = header->mode & 07777;
	entry->uid = uid ? uid->uid : header->uid;
	entry->gid = gid ? gid->gid : header->gid;
	entry->mtime_sec = mtime ? mtime->mtime_sec : header->mtime_sec;
	entry->mtime_nsec = mtime ? mtime->mtime_nsec : 0;
	entry->major = header->major;
	entry->minor = header->minor;
	entry->xattrs = self->pax.xattrs;
	entry->xattr_count = self->pax.xattr_count;
}

static int set_entry(tar_reader *self, const struct tar_header *header, rkt_error **err)
{
	self->entry.link = NULL;
	if (type_of(header->sparse ? '0' : header->type, &self->entry.type, err) < 0 ||
		set_path(self, header, err) < 0 || set_link(self, header, err) < 0 ||
		set_size(self, header, err) < 0 || set_extents(self, header, err) < 0)
		return -1;
	self->entry.data_offset = self->stream.offset;
	self->data_left = self->entry.stored;
	set_attributes(self, header);
	if (self->entry_count++ == self->limits.entries_max)
		return rkt_fail(err, RKT_INVALID, "more than %" PRIu64 " members",
			self->limits.entries_max);
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* One zero block was read: reads the other one, and then to the end of the stream. */
static int read_end(tar_reader *self, rkt_error **err)
{
	const uint8_t *block = NULL;
	struct slice piece;
	int got;

	if (self->seen)
		return rkt_fail(err, RKT_INVALID, "an extended header without a member");
	got = tar_stream_block(&self->stream, &block, err);
	if (got < 0)
		return -1;
	if (!got || !tar_is_zero(block, TAR_BLOCK))
		return rkt_fail(err, RKT_INVALID,
			got ? "a lone zero block within the archive"
			    : "truncated: half an end marker");
	while (tar_stream_take(&self->stream, UINT64_MAX, &piece, err) == 0) {
		if (!piece.len) {
			self->ended = true;
			return 0;
		}
		if (tar_stream_expect_zeros(
			    &self->stream, piece, "garbage after the end of the archive", err) < 0)
			return -1;
	}
	return -1;
}

/* ---- what callers see ---------------------------------------------------------------------- */

static int next_header(tar_reader *self, struct tar_header *ret, rkt_error **err)
{
	const uint8_t *block = NULL;
	int got;

	self->stream.at = self->stream.offset;
	got = tar_stream_block(&self->stream, &block, err);
	if (!got)
		return rkt_fail(err, RKT_INVALID, "truncated: no end marker");
	if (got > 0 && tar_is_zero(block, TAR_BLOCK))
		return read_end(self, err);
	if (got > 0)
		got = tar_header_read(block, ret, err) < 0 ? -1 : 1;
	if (got < 0 && !self->stream.at && !self->stream.failed)
		rkt_fail_outer(err, "not a tar archive");
	return got;
}

static int next_entry(tar_reader *self, rkt_error **err)
{
	self->stream.at = self->stream.offset;
	if (finish_entry(self, err) < 0)
		return -1;
	self->seen = 0;
	tar_pax_reset(&self->pax);
	self->entry.header_offset = self->stream.offset;
	for (;;) {
		struct tar_header header = { 0 };
		int got = next_header(self, &header, err);

		if (got <= 0)
			return got;
		got = take_extension(self, &header, err);
		if (got < 0)
			return -1;
		if (!got)
			return set_entry(self, &header, err) < 0 ? -1 : 1;
		if (!self->seen) /* a global header belongs to no member */
			self->entry.header_offset = self->stream.offset;
	}
}

/* Says where, unless it is the stream below that failed. */
static int fail_at(const tar_reader *self, uint64_t offset, rkt_error **err)
{
	return self->stream.failed ? -1 : rkt_fail_outer(err, "tar offset %" PRIu64, offset);
}

int tar_next(tar_reader *self, const struct tar_entry **ret, rkt_error **err)
{
	int got;

	if (self->ended)
		return 0;
	got = next_entry(self, err);
	if (got < 0)
		return fail_at(self, self->stream.at, err);
	if (got > 0)
		*ret = &self->entry;
	return got;
}

int tar_data(tar_reader *self, struct slice *ret, rkt_error **err)
{
	int got = next_data(self, ret, err);

	if (got >= 0)
		return got;
	self->stream.at = self->stream.offset;
	return fail_at(self, self->stream.at, err);
}

uint64_t tar_offset(const tar_reader *self)
{
	return self->stream.offset;
}

uint64_t tar_fault_offset(const tar_reader *self)
{
	return self->stream.failed ? self->stream.offset : self->stream.at;
}

tar_reader *tar_open(source *in, const struct tar_limits *limits)
{
	tar_reader *self = xcalloc(1, sizeof *self);

	self->stream.in = in;
	self->limits = limits ? *limits : tar_limits_default;
	self->pax.sparse.max = self->limits.extents_max;
	return self;
}

void tar_free(tar_reader *self)
{
	if (!self)
		return;
	source_free(self->stream.in);
	tar_pax_free(&self->pax);
	tar_pax_free(&self->global);
	buf_free(&self->long_name);
	buf_free(&self->long_link);
	buf_free(&self->pax_bytes);
	buf_free(&self->global_bytes);
	buf_free(&self->raw);
	buf_free(&self->path);
	buf_free(&self->link);
	buf_free(&self->other);
	free(self);
}
