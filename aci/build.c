/* Making an image: a walk over a directory in a fixed order, written as tar through a
 * compressor. */
#include "aci/build.h"

#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "aci/build_attrs.h"
#include "aci/build_out.h"
#include "aci/globs.h"
#include "aci/holes.h"
#include "aci/stat_entry.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"

#define ROOTFS    "rootfs"
#define DEPTH_MAX 1024
#define READ_SIZE (256 * 1024)

/* A file with several names; the first one met has the data. */
struct linked {
	dev_t dev;
	ino_t ino;
	char *path;
};

struct builder {
	int rootfs;
	struct build_out out;
	void *links;     /* a tree of struct linked (tsearch(3)) */
	struct buf path; /* of the present entry, beginning with "rootfs" */
	unsigned depth;
	uint8_t *data; /* READ_SIZE bytes */
};

static int compare_linked(const void *a, const void *b)
{
	const struct linked *left = a, *right = b;

	if (left->dev != right->dev)
		return left->dev < right->dev ? -1 : 1;
	return left->ino < right->ino ? -1 : left->ino > right->ino;
}

static void linked_free(void *node)
{
	struct linked *linked = node;

	free(linked->path);
	free(linked);
}

/* The path under which the file ST was written before, or NULL, and it is known from now on. */
static const char *written_before(struct builder *b, const struct stat *st)
{
	struct linked wanted = { .dev = st->st_dev, .ino = st->st_ino }, *fresh;
	void *found;

	if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
		return NULL;
	found = tfind(&wanted, &b->links, compare_linked);
	if (found)
		return (*(struct linked **)found)->path;
	fresh = xmalloc(sizeof *fresh);
	*fresh = wanted;
	fresh->path = xstrdup(buf_text(&b->path));
	if (!tsearch(fresh, &b->links, compare_linked))
		out_of_memory();
	return NULL;
}

static const char *below_rootfs(struct builder *b)
{
	const char *path = buf_text(&b->path) + strlen(ROOTFS);

	return *path ? path + 1 : path;
}

static void fill_entry(struct builder *b, const struct stat *st, struct tar_entry *e)
{
	e->path = buf_text(&b->path);
	e->path_len = b->path.len;
	stat_entry_fill(st, e);
	build_out_settle(&b->out, e);
}

static int write_run(struct builder *b, int fd, const struct tar_extent *run, rkt_error **err)
{
	for (uint64_t done = 0; done < run->len;) {
		uint64_t left = run->len - done;
		size_t want = left < READ_SIZE ? (size_t)left : READ_SIZE;
		ssize_t got = fd_pread_full(fd, b->data, want, run->offset + done, err);

		if (got < 0)
			return -1;
		if ((size_t)got < want)
			return rkt_fail(err, RKT_FAILED, "became shorter while it was read");
		if (build_out_data(&b->out, (struct slice){ b->data, want }, err) < 0)
			return -1;
		done += want;
	}
	return 0;
}

static int write_data(struct builder *b, int fd, const struct tar_entry *e, rkt_error **err)
{
	const struct tar_extent dense = { 0, e->size };
	const struct tar_extent *runs = e->sparse ? e->extents : &dense;
	size_t count = e->sparse ? e->extent_count : 1;
	struct stat now;

	for (size_t i = 0; i < count; i++)
		if (write_run(b, fd, &runs[i], err) < 0)
			return -1;
	if (!e->sparse)
		return tar_write_padding(&b->out.sink, e->size, err);
	if (fstat(fd, &now) < 0)
		return rkt_fail_errno(err, "stat");
	if ((uint64_t)now.st_size < e->size) /* nobody would miss bytes at the end of a hole */
		return rkt_fail(err, RKT_FAILED, "became shorter while it was read");
	return tar_write_padding(&b->out.sink, e->stored, err);
}

/* What has bytes or attributes of its own is opened once more, for reading. */
static int add_opened(
	struct builder *b, const struct stat *st, struct tar_entry *e, rkt_error **err)
{
	__attribute__((cleanup(build_attrs_free))) struct build_attrs attrs = { 0 };
	auto_holes struct holes holes = { 0 };
	auto_fd int fd = path_open_beneath(b->rootfs, below_rootfs(b), O_RDONLY | O_NONBLOCK, 0);
	struct stat now;

	if (fd < 0 || fstat(fd, &now) < 0)
		return rkt_fail_errno(err, "open");
	if (now.st_dev != st->st_dev || now.st_ino != st->st_ino)
		return rkt_fail(err, RKT_FAILED, "was replaced while it was read");
	if (build_attrs_read(fd, &attrs, err) < 0)
		return -1;
	fill_entry(b, &now, e);
	e->size = e->type == TAR_FILE ? (uint64_t)now.st_size : 0;
	e->xattrs = attrs.items;
	e->xattr_count = attrs.count;
	if (holes_find(fd, e->size, &holes, err) < 0)
		return -1;
	holes_apply(&holes, e);
	if (tar_write_header(&b->out.sink, e, err) < 0)
		return -1;
	return write_data(b, fd, e, err);
}

/* Symbolic links, devices and FIFOs: opening them would mean something else. */
static int add_unopened(
	struct builder *b, int fd, const struct stat *st, struct tar_entry *e, rkt_error **err)
{
	__attribute__((cleanup(build_attrs_free))) struct build_attrs attrs = { 0 };
	char target[PATH_MAX];

	if (build_attrs_read(fd, &attrs, err) < 0)
		return -1;
	fill_entry(b, st, e);
	if (e->type == TAR_SYMLINK) {
		ssize_t len = readlinkat(fd, "", target, sizeof target - 1);

		if (len < 0)
			return rkt_fail_errno(err, "read symbolic link");
		target[len] = '\0';
		e->link = target;
		e->mode = 0777;
	}
	e->xattrs = attrs.items;
	e->xattr_count = attrs.count;
	return tar_write_header(&b->out.sink, e, err);
}

/* Writes the entry at b->path. *RET_DIR says whether it is a directory, to be entered. */
static int add_entry(struct builder *b, bool *ret_dir, rkt_error **err)
{
	ERROR_SCOPE(err, "adding", buf_text(&b->path));
	auto_fd int fd = path_open_beneath(b->rootfs, below_rootfs(b), O_PATH, 0);
	struct tar_entry e = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "open");
	if (!stat_entry_type(st.st_mode, &e.type))
		return rkt_fail(err, RKT_INVALID, "is a socket, which an image cannot hold");
	*ret_dir = e.type == TAR_DIR;
	e.link = written_before(b, &st);
	if (e.link)
		e.type = TAR_HARDLINK;
	if (e.type == TAR_FILE || e.type == TAR_DIR)
		return add_opened(b, &st, &e, err);
	if (e.type != TAR_HARDLINK)
		return add_unopened(b, fd, &st, &e, err);
	fill_entry(b, &st, &e);
	return tar_write_header(&b->out.sink, &e, err);
}

static int read_names(struct builder *b, struct names *names, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", buf_text(&b->path));
	int fd = path_open_beneath(b->rootfs, below_rootfs(b), O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? rkt_fail_errno(err, "open directory") : names_of_dir(fd, names, err);
}

/* Adds what is at b->path and, when it is a directory, all that is below it. */
static int add_tree(struct builder *b, rkt_error **err)
{
	auto_names struct names names = { 0 };
	size_t len = b->path.len;
	bool is_dir = false;

	if (add_entry(b, &is_dir, err) < 0)
		return -1;
	if (!is_dir)
		return 0;
	if (++b->depth > DEPTH_MAX)
		return rkt_fail(err, RKT_INVALID, "%s: more than %d directories deep",
			buf_text(&b->path), DEPTH_MAX);
	if (read_names(b, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		buf_printf(&b->path, "/%s", names.items[i]);
		if (!globs_match(b->out.options->excludes, below_rootfs(b)) && add_tree(b, err) < 0)
			return -1;
		b->path.len = len;
	}
	b->depth--;
	return 0;
}

/* The manifest has no inode to take a time from; that of the rootfs is as reproducible as any. */
static int add_manifest(struct builder *b, struct slice bytes, rkt_error **err)
{
	struct tar_entry like = { .type = TAR_FILE };
	struct stat st;

	if (fstat(b->rootfs, &st) < 0)
		return rkt_fail_errno(err, "stat");
	fill_entry(b, &st, &like);
	like.mode = 0644;
	like.uid = like.gid = 0;
	return build_out_manifest(&b->out, bytes, &like, err);
}

static void builder_free(struct builder *b)
{
	build_out_free(&b->out);
	tdestroy(b->links, linked_free);
	buf_free(&b->path);
	free(b->data);
}

int build_image(struct slice manifest, int rootfs, int out, const struct build_options *options,
	rkt_image_id *ret_id, rkt_error **err)
{
	__attribute__((cleanup(builder_free))) struct builder b = { .rootfs = rootfs };

	b.data = xmalloc(READ_SIZE);
	if (build_out_check_manifest(manifest, err) < 0 ||
		build_out_begin(&b.out, out, options, err) < 0)
		return -1;
	buf_append_text(&b.path, ROOTFS);
	if (add_manifest(&b, manifest, err) < 0 || add_tree(&b, err) < 0)
		return -1;
	if (tar_write_end(&b.out.sink, err) < 0)
		return -1;
	return build_out_finish(&b.out, ret_id, err);
}
