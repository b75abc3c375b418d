/* Images made of what was a tar already: of a root, or of another image. */
#include <string.h>

#include "aci/build_out.h"
#include "aci/entry_acls.h"
#include "aci/globs.h"
#include "aci/holes.h"
#include "aci/manifest.h"
#include "aci/xattr_rules.h"
#include "base/alloc.h"

static tar_reader *open_tar(source *in, const struct build_options *options)
{
	return tar_open(in, options->limits ? &options->limits->tar : NULL);
}

/* ---- of a tar of the root -------------------------------------------------------------------- */

struct rewriter {
	struct build_out out;
	tar_reader *tar;
	bool started;
	struct buf path, link; /* with rootfs/ before them */
};

static void rewriter_free(struct rewriter *r)
{
	build_out_free(&r->out);
	tar_free(r->tar);
	buf_free(&r->path);
	buf_free(&r->link);
}

static const char *below_rootfs(struct buf *buf, const char *path)
{
	buf->len = 0;
	buf_printf(buf, *path ? "rootfs/%s" : "rootfs", path);
	return buf_text(buf);
}

static int write_zeros(struct rewriter *r, uint64_t count, rkt_error **err)
{
	static const uint8_t zeros[64 * 1024];

	while (count) {
		size_t len = count < sizeof zeros ? (size_t)count : sizeof zeros;

		if (build_out_data(&r->out, (struct slice){ zeros, len }, err) < 0)
			return -1;
		count -= len;
	}
	return 0;
}

/* How far the data of a file are copied. */
struct copying {
	const struct tar_extent *from; /* the run in the old tar that comes next, or goes on */
	const struct tar_extent *to;   /* the one of the new tar, which has all of it in it */
	uint64_t at;                   /* in the file: what is before it is written */
};

static uint64_t end_of(const struct tar_extent *run)
{
	return run->offset + run->len;
}

/* Writes BLOCK, the next data of a file, and zeros where the runs of the new tar begin earlier or
 * end later. */
static int write_runs(struct rewriter *r, struct slice block, struct copying *c, rkt_error **err)
{
	while (block.len) {
		uint64_t left;
		size_t len;

		if (c->at < c->from->offset && c->from->offset >= end_of(c->to)) {
			if (write_zeros(r, end_of(c->to) - c->at, err) < 0)
				return -1;
			c->to++;
			c->at = c->to->offset;
		}
		if (c->at < c->from->offset) {
			if (write_zeros(r, c->from->offset - c->at, err) < 0)
				return -1;
			c->at = c->from->offset;
		}
		left = end_of(c->from) - c->at;
		len = block.len < left ? block.len : (size_t)left;
		if (build_out_data(&r->out, (struct slice){ block.data, len }, err) < 0)
			return -1;
		c->at += len;
		block.data += len;
		block.len -= len;
		if (len == left)
			c->from++;
	}
	return 0;
}

/* Copies the data of FROM, which is about to be read, as TO has them. */
static int copy_data(struct rewriter *r, const struct tar_entry *from, const struct tar_entry *to,
	rkt_error **err)
{
	const struct tar_extent old = { 0, from->size }, new = { 0, to->size };
	struct copying c = { from->sparse ? from->extents : &old, to->sparse ? to->extents : &new,
		0 };
	struct slice block;
	int more;

	if (to->stored)
		c.at = c.to->offset;
	while ((more = tar_data(r->tar, &block, err)) > 0)
		if (write_runs(r, block, &c, err) < 0)
			return -1;
	if (more < 0 || (to->stored && write_zeros(r, end_of(c.to) - c.at, err) < 0))
		return -1;
	return tar_write_padding(&r->out.sink, to->stored, err);
}

/* What a file may take along; the array is the caller's to free. */
static struct tar_xattr *portable_xattrs(const struct tar_entry *e, size_t *ret_count)
{
	struct tar_xattr *kept = xcalloc(e->xattr_count + 1, sizeof *kept);

	*ret_count = 0;
	for (size_t i = 0; i < e->xattr_count; i++)
		if (xattr_is_portable(e->xattrs[i].name) || entry_acls_has(e->xattrs[i].name))
			kept[(*ret_count)++] = e->xattrs[i];
	return kept;
}

static int rewrite_entry(struct rewriter *r, const struct tar_entry *from, rkt_error **err)
{
	auto_free struct tar_xattr *xattrs = NULL;
	auto_holes struct holes holes = { 0 };
	struct tar_entry e = *from;

	xattrs = portable_xattrs(from, &e.xattr_count);
	e.xattrs = xattrs;
	e.path = below_rootfs(&r->path, from->path);
	e.path_len = r->path.len;
	if (e.type == TAR_HARDLINK)
		e.link = below_rootfs(&r->link, from->link);
	if (e.type == TAR_SYMLINK)
		e.mode = 0777;
	holes_of_entry(from, &holes);
	holes_apply(&holes, &e);
	build_out_settle(&r->out, &e);
	if (tar_write_header(&r->out.sink, &e, err) < 0)
		return -1;
	return e.type == TAR_FILE ? copy_data(r, from, &e, err) : 0;
}

/* The manifest and the root go first. FIRST is the first entry, or NULL. */
static int start(
	struct rewriter *r, struct slice manifest, const struct tar_entry *first, rkt_error **err)
{
	struct tar_entry top = { .path = "", .type = TAR_DIR, .mode = 0755 }, like;

	if (first && !first->path_len)
		top = *first;
	like = (struct tar_entry){ .mode = 0644, .mtime_sec = top.mtime_sec };
	like.mtime_nsec = top.mtime_nsec;
	build_out_settle(&r->out, &like);
	r->started = true;
	if (build_out_manifest(&r->out, manifest, &like, err) < 0)
		return -1;
	return rewrite_entry(r, &top, err);
}

static int take_entry(
	struct rewriter *r, struct slice manifest, const struct tar_entry *e, rkt_error **err)
{
	bool first = !r->started;

	if (first && start(r, manifest, e, err) < 0)
		return -1;
	if (!e->path_len)
		return first ? 0
			     : rkt_fail(err, RKT_INVALID,
				       "the entry of the root comes after others");
	if (globs_match_above(r->out.options->excludes, e->path))
		return 0;
	if (e->type == TAR_HARDLINK && globs_match_above(r->out.options->excludes, e->link))
		return rkt_fail(err, RKT_FAILED,
			"%s is a hard link to %s, which is left out and has its data: take both or neither",
			e->path, e->link);
	return rewrite_entry(r, e, err);
}

int build_image_from_tar(struct slice manifest, source *in, int out,
	const struct build_options *options, rkt_image_id *ret_id, rkt_error **err)
{
	__attribute__((cleanup(rewriter_free))) struct rewriter r = { .tar = open_tar(
									      in, options) };
	const struct tar_entry *e;
	int more;

	if (build_out_check_manifest(manifest, err) < 0 ||
		build_out_begin(&r.out, out, options, err) < 0)
		return -1;
	while ((more = tar_next(r.tar, &e, err)) > 0)
		if (take_entry(&r, manifest, e, err) < 0)
			return -1;
	if (more < 0 || (!r.started && start(&r, manifest, NULL, err) < 0))
		return -1;
	if (tar_write_end(&r.out.sink, err) < 0)
		return -1;
	return build_out_finish(&r.out, ret_id, err);
}

/* ---- of another image ------------------------------------------------------------------------ */

/* The bytes of the tar, held back until the walker has said what they are. */
struct relay {
	struct build_out out;
	tar_reader *tar;
	struct buf held;
	size_t head;       /* what of HELD is done with */
	uint64_t at;       /* offset in the tar of the byte at HEAD */
	uint64_t after;    /* what stands before this offset is left out */
	uint64_t hold_max; /* what can be the manifest or its headers is no further back */
};

static void relay_free(struct relay *r)
{
	tar_free(r->tar);
	build_out_free(&r->out);
	buf_free(&r->held);
}

/* Done with the next LEN bytes. */
static struct slice take(struct relay *r, uint64_t len)
{
	struct slice bytes = { r->held.data + r->head, (size_t)len };

	r->head += bytes.len;
	r->at += len;
	return bytes;
}

/* Offset in the tar behind what was read. */
static uint64_t read_to(const struct relay *r)
{
	return r->at + (r->held.len - r->head);
}

/* Writes what stands before OFFSET and was read. */
static int pass_on(struct relay *r, uint64_t offset, rkt_error **err)
{
	uint64_t read = read_to(r);

	if (offset > read)
		offset = read;
	if (r->at < r->after && r->at < offset)
		take(r, (offset < r->after ? offset : r->after) - r->at);
	if (r->at >= offset)
		return 0;
	return build_out_data(&r->out, take(r, offset - r->at), err);
}

/* A source_tap_fn. The walker has seen all there was before BLOCK, and members are passed on when
 * it says so; of global headers and of what follows the end, which may be long, it says nothing. */
static int hold(void *context, struct slice block, rkt_error **err)
{
	struct relay *r = context;
	uint64_t read = read_to(r);
	size_t left;

	if (read > r->hold_max && pass_on(r, read - r->hold_max, err) < 0)
		return -1;
	left = r->held.len - r->head;
	if (r->head > left) { /* a byte that is held long is not moved with every block */
		memmove(r->held.data, r->held.data + r->head, left);
		r->held.len = left;
		r->head = 0;
	}
	buf_append(&r->held, block.data, block.len);
	return 0;
}

/* A long name, a long link, a pax header and the manifest, each with a header and padding. */
static uint64_t hold_max(const struct image_limits *limits)
{
	const struct image_limits defaults = image_limits_default();
	uint64_t pax = (limits ?: &defaults)->tar.pax_max;
	uint64_t manifest = (limits ?: &defaults)->manifest_max;

	if (pax > UINT64_MAX / 8 || manifest > UINT64_MAX / 8)
		return UINT64_MAX; /* who sets no limits gets none */
	return 3 * pax + manifest + UINT64_C(8) * TAR_BLOCK;
}

static int read_manifest(
	struct relay *r, const struct tar_entry *e, struct buf *ret, rkt_error **err)
{
	const struct image_limits *limits = r->out.options->limits;
	uint64_t max = limits ? limits->manifest_max : MANIFEST_SIZE_MAX;
	struct slice block;
	int more;

	if (e->size > max)
		return rkt_fail(err, RKT_INVALID, "the manifest has more than %llu bytes",
			(unsigned long long)max);
	while ((more = tar_data(r->tar, &block, err)) > 0)
		buf_append(ret, block.data, block.len);
	return more;
}

static int replace_manifest(struct relay *r, const struct build_patch *patch,
	const struct tar_entry *e, rkt_error **err)
{
	auto_buf struct buf old = { 0 }, new = { 0 };

	if (read_manifest(r, e, &old, err) < 0)
		return -1;
	if (patch->edit(patch->context, buf_slice(&old), &new, err) < 0 ||
		build_out_check_manifest(buf_slice(&new), err) < 0)
		return -1;
	if (new.len == old.len && memcmp(new.data, old.data, old.len) == 0)
		return 0; /* what is held back is what is wanted */
	r->after = e->data_offset + e->size + -e->size % TAR_BLOCK;
	return build_out_manifest(&r->out, buf_slice(&new), e, err);
}

/* Everything else is passed on as it comes; large data not only when all of them were read. */
static int pass_entry(struct relay *r, rkt_error **err)
{
	struct slice block;
	int more;

	while ((more = tar_data(r->tar, &block, err)) > 0)
		if (pass_on(r, tar_offset(r->tar), err) < 0)
			return -1;
	return more;
}

int build_image_patched(source *in, const struct build_patch *patch, int out,
	const struct build_options *options, rkt_image_id *ret_id, rkt_error **err)
{
	__attribute__((cleanup(relay_free))) struct relay r = {
		.hold_max = hold_max(options->limits),
	};
	const struct tar_entry *e;
	int more;

	r.tar = open_tar(source_tap(in, hold, &r), options);
	if (build_out_begin(&r.out, out, options, err) < 0)
		return -1;
	while ((more = tar_next(r.tar, &e, err)) > 0) {
		bool is_manifest =
			strcmp(e->path, "manifest") == 0 && e->type == TAR_FILE && !e->sparse;

		if (pass_on(&r, e->header_offset, err) < 0)
			return -1;
		if (is_manifest ? replace_manifest(&r, patch, e, err) : pass_entry(&r, err))
			return -1;
	}
	if (more < 0 || pass_on(&r, UINT64_MAX, err) < 0)
		return -1;
	return build_out_finish(&r.out, ret_id, err);
}
