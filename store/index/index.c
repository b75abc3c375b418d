/* Image entries into the tree: what replaces what, and which numbers cannot be shown. */
#include "store/index/index.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/index/chunks.h"
#include "store/index/erofs.h"
#include "store/index/node.h"
#include "store/index/write.h"
#include "store/index/xattr.h"

struct index_builder {
	struct nodes nodes;
	struct xattr_body xattrs; /* of the last entry; its counts are those of all */
	/* The directory of the last entry, so that its neighbours need no walk: "usr/bin" and its
	 * inode; "" for the root. It cannot go unnoticed: what an entry replaces is in it. */
	struct buf dir_path;
	uint32_t dir;
	struct chunks_place place; /* the tar that entries come from now: the first is 1 */
	uint64_t *blocks_used;     /* of each tar, from 0 on: where its last file ends */
	uint32_t tar_count;
	bool layered;                     /* something lies below the present layer */
	const struct path_filter *filter; /* of the present layer */
	/* A directory that no name leads to, with the files of the present layer that FILTER leaves
	 * out: hard links to them may come. NODES_ROOT: not made. */
	uint32_t aside;
};

index_builder *index_new(void)
{
	index_builder *self = xcalloc(1, sizeof *self);

	nodes_init(&self->nodes);
	self->dir = NODES_ROOT;
	self->place.device = 1;
	self->aside = NODES_ROOT;
	return self;
}

/* Remembers how much of the present tar was used. */
static void note_use(index_builder *self)
{
	uint32_t device = self->place.device;

	if (device > self->tar_count) {
		self->blocks_used =
			xreallocarray(self->blocks_used, device, sizeof *self->blocks_used);
		memset(self->blocks_used + self->tar_count, 0,
			(device - self->tar_count) * sizeof *self->blocks_used);
		self->tar_count = device;
	}
	if (self->place.blocks_used > self->blocks_used[device - 1])
		self->blocks_used[device - 1] = self->place.blocks_used;
}

int index_begin_layer(
	index_builder *self, uint32_t device, const struct path_filter *filter, rkt_error **err)
{
	if (!device || device > EROFS_DEVICES_MAX)
		return rkt_fail(err, RKT_INVALID, "tar number %u: an index takes from 1 to %u",
			device, EROFS_DEVICES_MAX);
	note_use(self);
	self->place.device = (uint16_t)device;
	self->place.blocks_used = 0;
	self->layered = self->nodes.inode_count > 1;
	self->filter = filter;
	self->aside = NODES_ROOT;
	return 0;
}

void index_free(index_builder *self)
{
	if (!self)
		return;
	nodes_free(&self->nodes);
	xattr_body_free(&self->xattrs);
	buf_free(&self->dir_path);
	free(self->blocks_used);
	free(self);
}

static mode_t mode_of(const index_builder *self, uint32_t inode)
{
	return self->nodes.inodes[inode].mode;
}

/* A directory that the archive has no entry for (appc.md, Image archives). */
static int invent_dir(
	index_builder *self, uint32_t dir, struct slice text, uint32_t *ret, rkt_error **err)
{
	const struct inode inode = { .mode = S_IFDIR | 0755 };

	if (nodes_add(&self->nodes, &inode, ret, err) < 0)
		return -1;
	return nodes_set(&self->nodes, dir, text, *ret, err);
}

/* The directory TEXT in DIR as a parent of something: made when it is missing, in the place of a
 * symlink too (S-002). */
static int enter_dir(
	index_builder *self, uint32_t dir, struct slice text, uint32_t *ret, rkt_error **err)
{
	uint32_t name = nodes_find(&self->nodes, dir, text), inode;

	if (name == NODES_NO_NAME)
		return invent_dir(self, dir, text, ret, err);
	inode = self->nodes.names[name].inode;
	if (S_ISLNK(mode_of(self, inode)) || (self->layered && !S_ISDIR(mode_of(self, inode))))
		return invent_dir(self, dir, text, ret, err);
	if (!S_ISDIR(mode_of(self, inode)))
		return rkt_fail(err, RKT_INVALID, "below something that is not a directory");
	*ret = inode;
	return 0;
}

/* Takes the first part off the front of *PATH. */
static struct slice take_part(struct slice *path)
{
	const uint8_t *slash = memchr(path->data, '/', path->len);
	struct slice part = { path->data, slash ? (size_t)(slash - path->data) : path->len };
	size_t taken = part.len + (slash != NULL);

	path->data += taken;
	path->len -= taken;
	return part;
}

/* Splits PATH into the directory it is in and its last part. */
static struct slice split(struct slice path, struct slice *ret_name)
{
	const uint8_t *slash = memrchr(path.data, '/', path.len);
	size_t dir_len = slash ? (size_t)(slash - path.data) : 0;
	size_t name_at = slash ? dir_len + 1 : 0;

	*ret_name = (struct slice){ path.data + name_at, path.len - name_at };
	return (struct slice){ path.data, dir_len };
}

static bool is_last_dir(const index_builder *self, struct slice path)
{
	return path.len == self->dir_path.len &&
	       (!path.len || memcmp(path.data, self->dir_path.data, path.len) == 0);
}

/* The directory PATH, all missing parts of it made. */
static int make_dirs(index_builder *self, struct slice path, uint32_t *ret, rkt_error **err)
{
	struct slice rest = path;
	uint32_t dir = NODES_ROOT;

	if (!is_last_dir(self, path)) {
		while (rest.len)
			if (enter_dir(self, dir, take_part(&rest), &dir, err) < 0)
				return -1;
		self->dir_path.len = 0;
		buf_append(&self->dir_path, path.data, path.len);
		self->dir = dir;
	}
	*ret = self->dir;
	return 0;
}

/* The inode that a hard link to PATH shares. */
static int find_link_target(
	const index_builder *self, struct slice path, bool aside, uint32_t *ret, rkt_error **err)
{
	struct slice rest = path, last;
	uint32_t inode = aside ? self->aside : NODES_ROOT, name;

	if (!aside && is_last_dir(self, split(path, &last))) {
		inode = self->dir;
		rest = last;
	}
	while (rest.len) {
		name = NODES_NO_NAME;
		if (S_ISDIR(mode_of(self, inode)))
			name = nodes_find(&self->nodes, inode, take_part(&rest));
		if (name == NODES_NO_NAME)
			return rkt_fail(err, RKT_INVALID, "hard link to what is not there: %.*s",
				(int)path.len, (const char *)path.data);
		inode = self->nodes.names[name].inode;
	}
	if (S_ISDIR(mode_of(self, inode)))
		return rkt_fail(err, RKT_INVALID, "hard link to a directory");
	*ret = inode;
	return 0;
}

static int fill_symlink(
	index_builder *self, const struct tar_entry *entry, struct inode *inode, rkt_error **err)
{
	struct slice target = slice_of_text(entry->link ?: "");

	if (!target.len || target.len > EROFS_TARGET_MAX)
		return rkt_fail(err, RKT_INVALID, "symlink target of %zu bytes", target.len);
	inode->mode |= 0777; /* Linux knows no other */
	inode->symlink.len = (uint32_t)target.len;
	return nodes_keep(&self->nodes, target, &inode->symlink.target, err);
}

/* overlayfs takes a character device 0:0 in any layer for a deleted file (S-011): shown or not, it
 * would not be what the image says. */
static int fill_device(const struct tar_entry *entry, struct inode *inode, rkt_error **err)
{
	if (entry->type == TAR_CHAR && !entry->major && !entry->minor)
		return rkt_fail(err, RKT_INVALID,
			"character device 0:0, which overlayfs takes for a deleted file");
	if (entry->major > EROFS_MAJOR_MAX || entry->minor > EROFS_MINOR_MAX)
		return rkt_fail(err, RKT_INVALID, "device number %u:%u out of range", entry->major,
			entry->minor);
	inode->device_number =
		(entry->minor & 0xff) | entry->major << 8 | (entry->minor & ~UINT32_C(0xff)) << 12;
	return 0;
}

static mode_t file_type(enum tar_type type)
{
	switch (type) {
	case TAR_FILE:
	case TAR_HARDLINK:
		return S_IFREG;
	case TAR_SYMLINK:
		return S_IFLNK;
	case TAR_CHAR:
		return S_IFCHR;
	case TAR_BLOCKDEV:
		return S_IFBLK;
	case TAR_DIR:
		return S_IFDIR;
	case TAR_FIFO:
		return S_IFIFO;
	}
	return 0;
}

static int fill_by_type(
	index_builder *self, const struct tar_entry *entry, struct inode *inode, rkt_error **err)
{
	switch (entry->type) {
	case TAR_FILE:
		return chunks_fill(&self->nodes, &self->place, entry, inode, err);
	case TAR_SYMLINK:
		return fill_symlink(self, entry, inode, err);
	case TAR_CHAR:
	case TAR_BLOCKDEV:
		return fill_device(entry, inode, err);
	case TAR_DIR:
	case TAR_FIFO:
		return 0;
	case TAR_HARDLINK:
		break;
	}
	return rkt_fail(err, RKT_INVALID, "entry of unknown type %d", (int)entry->type);
}

/* What the entry says of itself, each number held against what EROFS can hold. */
static int fill_inode(
	index_builder *self, const struct tar_entry *entry, struct inode *inode, rkt_error **err)
{
	if (entry->uid > EROFS_ID_MAX || entry->gid > EROFS_ID_MAX)
		return rkt_fail(
			err, RKT_INVALID, "owner %u:%u out of range", entry->uid, entry->gid);
	if (entry->mtime_nsec >= 1000000000u)
		return rkt_fail(err, RKT_INVALID, "time with %u nanoseconds", entry->mtime_nsec);
	if (xattr_body_make(&self->xattrs, entry, err) < 0)
		return -1;
	*inode = (struct inode){
		.mtime_sec = entry->mtime_sec,
		.mtime_nsec = entry->mtime_nsec,
		.uid = entry->uid,
		.gid = entry->gid,
		.mode = (uint16_t)(file_type(entry->type) | (self->xattrs.mode & 07777)),
		.xattr_icount = self->xattrs.icount,
	};
	if (nodes_keep(&self->nodes, buf_slice(&self->xattrs.bytes), &inode->xattr_bytes, err) < 0)
		return -1;
	return fill_by_type(self, entry, inode, err);
}

/* Whether TEXT in DIR is a directory; *RET is its inode. */
static bool find_dir(const index_builder *self, uint32_t dir, struct slice text, uint32_t *ret)
{
	uint32_t name = nodes_find(&self->nodes, dir, text);

	*ret = self->nodes.names[name].inode;
	return name != NODES_NO_NAME && S_ISDIR(mode_of(self, *ret));
}

/* New attributes for a directory that keeps its children. */
static void update_dir(index_builder *self, uint32_t dir, const struct inode *inode)
{
	uint32_t names = self->nodes.inodes[dir].dir.names;

	self->nodes.inodes[dir] = *inode;
	self->nodes.inodes[dir].dir.names = names;
}

static int add_root(index_builder *self, const struct tar_entry *entry, rkt_error **err)
{
	struct inode inode;

	if (entry->type != TAR_DIR)
		return rkt_fail(err, RKT_INVALID, "the root is not a directory");
	if (fill_inode(self, entry, &inode, err) < 0)
		return -1;
	update_dir(self, NODES_ROOT, &inode);
	return 0;
}

static bool is_kept(const index_builder *self, const char *path, enum path_kind kind)
{
	return !self->filter || path_filter_keeps(self->filter, path, kind);
}

static int add_hard_link(index_builder *self, const struct image_entry *entry, rkt_error **err)
{
	struct slice name, parent = split(slice_of_text(entry->path), &name);
	bool aside = !is_kept(self, entry->hard_link, PATH_KIND_OTHER);
	uint32_t dir, number = NODES_ROOT;

	if (find_link_target(self, slice_of_text(entry->hard_link), aside, &number, err) < 0 ||
		make_dirs(self, parent, &dir, err) < 0)
		return -1;
	return nodes_set(&self->nodes, dir, name, number, err);
}

/* Keeps a file that is left out, for hard links to it. */
static int put_aside(index_builder *self, const struct image_entry *entry, rkt_error **err)
{
	const struct inode root = { .mode = S_IFDIR | 0755 };
	struct slice name, rest = split(slice_of_text(entry->path), &name);
	struct inode inode;
	uint32_t dir, number;

	if (entry->hard_link || entry->tar->type != TAR_FILE)
		return 0;
	if (self->aside == NODES_ROOT && nodes_add(&self->nodes, &root, &self->aside, err) < 0)
		return -1;
	dir = self->aside;
	while (rest.len)
		if (enter_dir(self, dir, take_part(&rest), &dir, err) < 0)
			return -1;
	if (fill_inode(self, entry->tar, &inode, err) < 0 ||
		nodes_add(&self->nodes, &inode, &number, err) < 0)
		return -1;
	return nodes_set(&self->nodes, dir, name, number, err);
}

int index_add(index_builder *self, const struct image_entry *entry, rkt_error **err)
{
	ERROR_SCOPE(err, "indexing", *entry->path ? entry->path : "/");
	struct slice name, parent = split(slice_of_text(entry->path), &name);
	uint32_t dir, number;
	struct inode inode;

	if (!*entry->path)
		return add_root(self, entry->tar, err);
	if (!is_kept(self, entry->path,
		    entry->tar->type == TAR_DIR ? PATH_KIND_DIR : PATH_KIND_OTHER))
		return put_aside(self, entry, err);
	if (entry->hard_link)
		return add_hard_link(self, entry, err);
	if (make_dirs(self, parent, &dir, err) < 0 || fill_inode(self, entry->tar, &inode, err) < 0)
		return -1;
	if (S_ISDIR(inode.mode) && find_dir(self, dir, name, &number)) {
		update_dir(self, number, &inode);
		return 0;
	}
	if (nodes_add(&self->nodes, &inode, &number, err) < 0)
		return -1;
	return nodes_set(&self->nodes, dir, name, number, err);
}

/* The sizes of the tars in blocks, each held against what was used of it. */
static int measure(const index_builder *self, const uint64_t *tar_sizes, uint32_t count,
	uint32_t *ret_blocks, rkt_error **err)
{
	if (count < self->tar_count || count > EROFS_DEVICES_MAX)
		return rkt_fail(err, RKT_INVALID, "an index over %u tars with %u sizes",
			self->tar_count, count);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t blocks = tar_sizes[i] / EROFS_BLOCK;

		if (blocks > EROFS_BLOCKS_MAX)
			return rkt_fail(
				err, RKT_INVALID, "a tar of more than 2 TiB cannot be indexed");
		if (i < self->tar_count && self->blocks_used[i] > blocks)
			return rkt_fail(err, RKT_INVALID,
				"the tar is truncated: %ju bytes, but a file's data end at %ju",
				(uintmax_t)tar_sizes[i],
				(uintmax_t)self->blocks_used[i] * EROFS_BLOCK);
		ret_blocks[i] = (uint32_t)blocks;
	}
	return 0;
}

int index_write_tars(index_builder *self, const uint64_t *tar_sizes, uint32_t count, int out,
	struct index_stats *ret_stats, rkt_error **err)
{
	ERROR_SCOPE(err, "writing index", NULL);
	auto_free uint32_t *tar_blocks = xcalloc(count, sizeof *tar_blocks);
	const struct write_input input = { &self->nodes, tar_blocks, count };
	struct index_stats stats = {
		.xattrs_dropped = self->xattrs.dropped,
		.acl_names_dropped = self->xattrs.acl_names_dropped,
	};

	note_use(self);
	if (measure(self, tar_sizes, count, tar_blocks, err) < 0)
		return -1;
	if (write_index(&input, out, &stats, err) < 0)
		return -1;
	if (ret_stats)
		*ret_stats = stats;
	return 0;
}
