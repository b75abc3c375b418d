/* The rules of the image layout on top of the tar walk, and the manifest caught on the way. */
#include "aci/image.h"

#include <fcntl.h>
#include <string.h>

#include "aci/digest.h"
#include "aci/id.h"
#include "aci/path_set.h"
#include "aci/unpack.h"
#include "base/alloc.h"

#define MANIFEST_NAME "manifest"
#define ROOTFS_NAME   "rootfs"

struct image_reader {
	tar_reader *tar;
	check *check; /* lent; NULL: the first error ends the reading */
	struct path_set paths;
	/* The directory of the last entry, so that its neighbours need no look: once a directory, a
	 * path stays one. */
	struct buf known_parent;
	bool started, manifest_seen;
	uint64_t entry_count;
	uint64_t entryless; /* directories that are there only because something is below them */
	uint64_t entries_max;
	struct buf manifest_bytes;
	struct image_manifest *manifest;
	struct image_entry entry;
	uint64_t manifest_max;
};

/* What became of an entry under the rules. Errors (-1) are besides. */
enum verdict {
	VERDICT_SKIP, /* a breach was reported and reading goes on without the entry, or it is not
			 ours */
	VERDICT_TAKE,
};

/* Reports a breach at the entry E and makes the verdict of it. */
#define BREACH(self, e, err, rule, ...)                                                            \
	(check_report_at((self)->check, rule, (e)->path, (e)->header_offset, err, __VA_ARGS__) < 0 \
			? -1                                                                       \
			: VERDICT_SKIP)

static const char *type_words(enum tar_type type)
{
	static const char *const words[] = {
		[TAR_FILE] = "a regular file",
		[TAR_HARDLINK] = "a hard link",
		[TAR_SYMLINK] = "a symbolic link",
		[TAR_CHAR] = "a character device",
		[TAR_BLOCKDEV] = "a block device",
		[TAR_DIR] = "a directory",
		[TAR_FIFO] = "a FIFO",
	};

	return words[type];
}

static enum path_use use_of(enum tar_type type)
{
	switch (type) {
	case TAR_FILE:
		return PATH_FILE;
	case TAR_HARDLINK:
		return PATH_HARDLINK;
	case TAR_SYMLINK:
		return PATH_SYMLINK;
	case TAR_DIR:
		return PATH_DIR;
	default:
		return PATH_OTHER;
	}
}

/* The part of PATH below the rootfs: "" for the rootfs itself, NULL when it is elsewhere. */
static const char *below_rootfs(const char *path)
{
	size_t len = strlen(ROOTFS_NAME);

	if (strncmp(path, ROOTFS_NAME, len) != 0)
		return NULL;
	if (!path[len])
		return path + len;
	return path[len] == '/' ? path + len + 1 : NULL;
}

static size_t parent_len(const char *path, size_t len)
{
	while (len && path[len - 1] != '/')
		len--;
	return len ? len - 1 : 0;
}

/* What stands at the top, and as what. */
static int check_place(image_reader *self, const struct tar_entry *e, rkt_error **err)
{
	if (!e->path_len) /* the walker has seen to it that the top is a directory */
		return VERDICT_TAKE;
	if (strcmp(e->path, MANIFEST_NAME) == 0 && e->type != TAR_FILE) {
		self->manifest_seen = true; /* one fault, one finding */
		return BREACH(self, e, err, "layout-manifest-type",
			"the manifest is %s, not a regular file", type_words(e->type));
	}
	if (strcmp(e->path, ROOTFS_NAME) == 0 && e->type != TAR_DIR) {
		path_set_put(&self->paths, e->path, e->path_len, PATH_DIR);
		return BREACH(self, e, err, "layout-rootfs-type",
			"the rootfs is %s, not a directory", type_words(e->type));
	}
	if (strcmp(e->path, MANIFEST_NAME) == 0)
		return VERDICT_TAKE;
	if (strncmp(e->path, MANIFEST_NAME "/", strlen(MANIFEST_NAME "/")) == 0)
		return BREACH(self, e, err, "layout-below-file", "stands below the file %s",
			MANIFEST_NAME);
	if (!below_rootfs(e->path))
		return BREACH(self, e, err, "layout-top",
			"stands neither below rootfs/ nor is it the manifest");
	return VERDICT_TAKE;
}

static int check_unused(image_reader *self, const struct tar_entry *e, rkt_error **err)
{
	enum path_use use = path_set_get(&self->paths, e->path, e->path_len);

	if (use == PATH_PARENT && e->type == TAR_DIR)
		self->entryless--; /* here is its entry */
	if (use == PATH_UNUSED || (use == PATH_PARENT && e->type == TAR_DIR))
		return VERDICT_TAKE;
	if (use == PATH_PARENT)
		return BREACH(self, e, err, "layout-below-file",
			"is %s, but earlier entries stand below it", type_words(e->type));
	return BREACH(self, e, err, "layout-duplicate", "is in the archive twice");
}

/* A directory without an entry costs as much memory as one with, and one path may make a thousand.
 * Nothing is gained by reading on. */
static int count_entryless(image_reader *self, const struct tar_entry *e, rkt_error **err)
{
	const unsigned long long max = self->entries_max;

	if (self->entry_count + ++self->entryless <= max)
		return 0;
	if (self->check)
		check_report_at(self->check, "layout-limits", e->path, e->header_offset, NULL,
			"more than %llu members and directories above them", max);
	return rkt_fail(err, RKT_INVALID, "%s: more than %llu members and directories above them",
		e->path, max);
}

/* The directories above the entry: made known, and refused where they are files. A symbolic link
 * there will be replaced by a directory, never followed (S-002), so from now on it is one. */
static int check_parents(image_reader *self, const struct tar_entry *e, rkt_error **err)
{
	size_t parent = parent_len(e->path, e->path_len), len;

	if (parent == self->known_parent.len &&
		!memcmp(e->path, self->known_parent.data ?: (const uint8_t *)"", parent))
		return VERDICT_TAKE;
	for (len = parent; len; len = parent_len(e->path, len)) {
		enum path_use use = path_set_get(&self->paths, e->path, len);

		if (use == PATH_DIR || use == PATH_PARENT)
			break;
		if (use == PATH_FILE || use == PATH_HARDLINK || use == PATH_OTHER)
			return BREACH(self, e, err, "layout-below-file",
				"stands below %.*s, which is no directory", (int)len, e->path);
		if (use == PATH_UNUSED && count_entryless(self, e, err) < 0)
			return -1;
		path_set_put(
			&self->paths, e->path, len, use == PATH_SYMLINK ? PATH_DIR : PATH_PARENT);
		if (use == PATH_SYMLINK && BREACH(self, e, err, "layout-below-symlink",
						   "replaces the symbolic link %.*s by a directory",
						   (int)len, e->path) < 0)
			return -1;
	}
	self->known_parent.len = 0;
	buf_append(&self->known_parent, e->path, parent);
	return VERDICT_TAKE;
}

static int check_hard_link(image_reader *self, const struct tar_entry *e, rkt_error **err)
{
	static const char *const wrong[] = {
		[PATH_UNUSED] = "is not in the archive before it",
		[PATH_HARDLINK] = "is itself a hard link",
		[PATH_SYMLINK] = "is a symbolic link",
		[PATH_OTHER] = "is a device or FIFO",
		[PATH_PARENT] = "is a directory",
		[PATH_DIR] = "is a directory",
	};
	enum path_use use;

	if (e->type != TAR_HARDLINK)
		return VERDICT_TAKE;
	if (strcmp(e->link, MANIFEST_NAME) == 0)
		return BREACH(
			self, e, err, "layout-hardlink-manifest", "is a hard link to the manifest");
	if (strcmp(e->link, e->path) == 0)
		return BREACH(self, e, err, "layout-hardlink-target", "is a hard link to itself");
	use = below_rootfs(e->link) ? path_set_get(&self->paths, e->link, strlen(e->link))
				    : PATH_UNUSED;
	if (use != PATH_FILE)
		return BREACH(self, e, err, "layout-hardlink-target",
			"is a hard link to %s, which %s", e->link, wrong[use]);
	return VERDICT_TAKE;
}

typedef int rule_fn(image_reader *self, const struct tar_entry *e, rkt_error **err);

static int check_entry(image_reader *self, const struct tar_entry *e, rkt_error **err)
{
	/* parents last: what they make known must not come from an entry that is refused */
	static rule_fn *const rules[] = { check_place, check_unused, check_hard_link,
		check_parents };

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		int verdict = rules[i](self, e, err);

		if (verdict != VERDICT_TAKE)
			return verdict;
	}
	path_set_put(&self->paths, e->path, e->path_len, use_of(e->type));
	return VERDICT_TAKE;
}

/* What the tar walk says is a finding like any other, but nothing can be read after it. Takes over
 * FROM. */
static int tar_failed(image_reader *self, rkt_error *from, rkt_error **err)
{
	if (self->check && rkt_error_kind(from) == RKT_INVALID) {
		auto_error rkt_error *same = NULL;

		check_report_at(self->check, "tar-format", NULL, tar_fault_offset(self->tar), &same,
			"%s", rkt_error_raw(from));
	}
	return rkt_fail_with(err, from);
}

int image_data(image_reader *self, struct slice *ret, rkt_error **err)
{
	rkt_error *own = NULL;
	int got = tar_data(self->tar, ret, &own);

	return got < 0 ? tar_failed(self, own, err) : got;
}

static int read_manifest(image_reader *self, const struct tar_entry *e, rkt_error **err)
{
	struct slice block;
	int more;

	self->manifest_seen = true;
	if (e->sparse)
		return BREACH(
			self, e, err, "layout-manifest-type", "the manifest is a sparse file");
	if (e->size > self->manifest_max)
		return BREACH(self, e, err, "layout-manifest-size",
			"the manifest has %llu bytes, the limit is %llu",
			(unsigned long long)e->size, (unsigned long long)self->manifest_max);
	while ((more = image_data(self, &block, err)) > 0)
		buf_append(&self->manifest_bytes, block.data, block.len);
	if (more < 0)
		return -1;
	check_within(self->check, MANIFEST_NAME, &e->header_offset);
	self->manifest = image_manifest_parse(buf_slice(&self->manifest_bytes), self->check, err);
	check_within(self->check, NULL, NULL);
	if (self->manifest)
		return VERDICT_SKIP;
	if (!self->check || check_mode_of(self->check) == CHECK_FIRST)
		return -1;
	if (err) {
		rkt_error_free(*err); /* it is among the findings */
		*err = NULL;
	}
	return VERDICT_SKIP;
}

static int check_whole(image_reader *self, rkt_error **err)
{
	enum path_use rootfs = path_set_get(&self->paths, ROOTFS_NAME, strlen(ROOTFS_NAME));

	if (!self->manifest_seen && check_report(self->check, "layout-manifest-missing", NULL, err,
					    "the image has no manifest") < 0)
		return -1;
	if (rootfs == PATH_UNUSED)
		return check_report(
			self->check, "layout-rootfs-missing", NULL, err, "the image has no rootfs");
	if (rootfs == PATH_PARENT)
		return check_report(self->check, "layout-rootfs-entry", ROOTFS_NAME, err,
			"the directory has no entry of its own");
	return 0;
}

struct image_limits image_limits_default(void)
{
	return (struct image_limits){
		.unpack = unpack_limits_default,
		.tar = tar_limits_default,
		.manifest_max = MANIFEST_SIZE_MAX,
	};
}

image_reader *image_open(source *in, const struct image_options *options)
{
	image_reader *self = xcalloc(1, sizeof *self);
	const struct image_limits limits =
		options && options->limits ? *options->limits : image_limits_default();

	self->tar = tar_open(in, &limits.tar);
	self->manifest_max = limits.manifest_max;
	self->entries_max = limits.tar.entries_max;
	self->check = options ? options->check : NULL;
	return self;
}

void image_free(image_reader *self)
{
	if (!self)
		return;
	tar_free(self->tar);
	path_set_free(&self->paths);
	buf_free(&self->known_parent);
	image_manifest_free(self->manifest);
	buf_free(&self->manifest_bytes);
	free(self);
}

/* Reads one member. Returns a verdict, -1, or 2 at the end of the tar. */
static int next_member(image_reader *self, rkt_error **err)
{
	const struct tar_entry *e;
	rkt_error *own = NULL;
	int got = tar_next(self->tar, &e, &own);

	if (got < 0)
		return tar_failed(self, own, err);
	if (!got)
		return 2;
	self->entry_count++;
	got = check_entry(self, e, err);
	if (got != VERDICT_TAKE)
		return got;
	if (!e->path_len)
		return VERDICT_SKIP;
	if (!below_rootfs(e->path))
		return read_manifest(self, e, err);
	self->entry = (struct image_entry){
		.path = below_rootfs(e->path),
		.hard_link = e->type == TAR_HARDLINK ? below_rootfs(e->link) : NULL,
		.tar = e,
	};
	return VERDICT_TAKE;
}

int image_next(image_reader *self, const struct image_entry **ret, rkt_error **err)
{
	int got;

	if (!self->started && path_set_init(&self->paths, err) < 0)
		return -1;
	self->started = true;
	while ((got = next_member(self, err)) == VERDICT_SKIP)
		;
	if (got < 0)
		return -1;
	if (got != VERDICT_TAKE)
		return check_whole(self, err);
	*ret = &self->entry;
	return 1;
}

const struct image_manifest *image_manifest(const image_reader *self)
{
	return self->manifest;
}

struct slice image_manifest_bytes(const image_reader *self)
{
	return buf_slice(&self->manifest_bytes);
}

uint64_t image_entry_count(const image_reader *self)
{
	return self->entry_count;
}

uint64_t image_tar_size(const image_reader *self)
{
	return tar_offset(self->tar);
}

int image_read_through(source *in, const struct image_options *options, rkt_error **err)
{
	auto_image image_reader *image = image_open(in, options);
	const struct image_entry *entry;
	int more;

	while ((more = image_next(image, &entry, err)) > 0)
		;
	return more;
}

int image_id_of_fd(int fd, const struct image_limits *limits, rkt_image_id *ret, rkt_error **err)
{
	const struct image_options options = { .limits = limits };
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX + 1];
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	source *in;

	if (own < 0)
		return rkt_fail_errno(err, "duplicate descriptor");
	in = source_unpack_threaded(
		source_from_fd(own), limits ? &limits->unpack : NULL, NULL, err);
	if (!in)
		return -1;
	in = source_tap(in, digest_tap, sum);
	if (image_read_through(in, &options, err) < 0 || digest_hex(sum, hex, err) < 0)
		return -1;
	*ret = id_from_hex(hex);
	return 0;
}

int rkt_image_id_of_fd(int fd, rkt_image_id *ret, rkt_error **err)
{
	return image_id_of_fd(fd, NULL, ret, err);
}
