/* Unpacking an image, entry by entry, by descriptors only: no path is resolved twice, no symbolic
 * link followed, and nothing appears at the destination before everything is there. */
#include "aci/extract.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "aci/extract_aside.h"
#include "aci/extract_attrs.h"
#include "aci/extract_dirs.h"
#include "aci/extract_workshop.h"
#include "aci/globs.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/tree.h"

/* Somebody who swaps names under us faster than this many times gets an error, not a loop. */
#define RACES_MAX 8
struct extraction {
	image_reader *image;
	int root;
	const struct extract_options *options;
	struct extract_report report;
	/* The directory of the last entry: archives list what stands together together. */
	struct buf parent;
	int parent_fd;
	struct extract_dirs dirs;
	/* Of the present layer, when there are several. */
	const struct extract_layers *layers; /* NULL: there is but one image */
	image_reader *layer;                 /* IMAGE, owned */
	bool layered;                        /* others lie below it */
	const struct path_filter *filter;    /* NULL: everything is kept */
	struct extract_aside aside;
	struct workshop *aside_room; /* lent: to be gone before anything appears; or NULL */
};

/* Closes what it has open but its root. */
static void let_go(struct extraction *x)
{
	scope_close(&x->parent_fd);
	x->parent_fd = -1;
	image_free(pass_ptr(x->layer));
}

static void extraction_free(struct extraction *x)
{
	let_go(x);
	buf_free(&x->parent);
	extract_dirs_free(&x->dirs);
	extract_aside_free(&x->aside);
}

bool extract_chooses(const struct extract_options *options, const char *path)
{
	if (!*path)
		return true;
	if (globs_match_above(options->excludes, path))
		return false;
	return !options->includes || !*options->includes ||
	       globs_match_above(options->includes, path);
}

/* A directory the archive has no entry for, or not yet. */
static int make_missing(const struct extraction *x, int dir, const char *name)
{
	auto_fd int fd = -1;

	if (mkdirat(dir, name, 0755) < 0)
		return -1;
	/* by descriptor: what stands there by now must at least be a directory */
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (x->options->owner == EXTRACT_OWNER_KEEP && fchown(fd, 0, 0) < 0)
		return -1;
	return fchmod(fd, 0755);
}

/* Opens the directory NAME below DIR, PATH as a whole, making it first where there is none; what
 * stands in its way is removed, never followed (S-002). */
static int descend(struct extraction *x, int dir, const char *name, const char *path)
{
	for (int i = 0; i < RACES_MAX; i++) {
		int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno == ENOENT) {
			if (make_missing(x, dir, name) == 0)
				extract_dirs_invent(&x->dirs, x->root, path);
			else if (errno != EEXIST)
				return -1;
		} else if (errno == ELOOP || errno == ENOTDIR) {
			if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
				return -1;
		} else {
			return -1;
		}
	}
	return -1;
}

static int open_making(struct extraction *x, const char *path)
{
	auto_free char *copy = xstrdup(path);
	auto_fd int dir = openat(x->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = NULL;

	for (char *name = strtok_r(copy, "/", &rest); name && dir >= 0;
		name = strtok_r(NULL, "/", &rest)) {
		auto_free char *whole = xmemdup(path, (size_t)(name - copy) + strlen(name));
		int below = descend(x, dir, name, whole);

		close(dir);
		dir = below;
	}
	return pass_fd(dir);
}

/* The directory that PATH is in, lent until the next call. */
static int parent_of(struct extraction *x, const char *path, rkt_error **err)
{
	size_t len = (size_t)(extract_base(path) - path);

	len = len ? len - 1 : 0;
	if (x->parent_fd >= 0 && x->parent.len == len &&
		memcmp(buf_text(&x->parent), path, len) == 0)
		return x->parent_fd;
	scope_close(&x->parent_fd);
	x->parent.len = 0;
	buf_append(&x->parent, path, len);
	x->parent_fd = path_open_beneath(x->root, buf_text(&x->parent), O_PATH | O_DIRECTORY, 0);
	if (x->parent_fd < 0)
		x->parent_fd = open_making(x, buf_text(&x->parent));
	if (x->parent_fd < 0)
		return rkt_fail_errno(err, "make the directory %s", buf_text(&x->parent));
	return x->parent_fd;
}

/* Whether to go on. */
static int ask(const struct extraction *x, rkt_error **err)
{
	const struct extract_options *options = x->options;

	return options->go_on ? options->go_on(options->go_on_context, err) : 0;
}

/* The runs of a sparse file go where they belong; what is between them stays a hole. */
static int copy_data(struct extraction *x, const struct tar_entry *tar, int fd, rkt_error **err)
{
	const struct tar_extent dense = { 0, tar->size },
				*run = tar->sparse ? tar->extents : &dense;
	uint64_t done = 0; /* of RUN */
	struct slice block;
	int more;

	while ((more = image_data(x->image, &block, err)) > 0) {
		if (ask(x, err) < 0)
			return -1;
		while (block.len) {
			uint64_t left = run->len - done;
			size_t len = block.len < left ? block.len : (size_t)left;

			if (fd_pwrite_all(fd, block.data, len, run->offset + done, err) < 0)
				return -1;
			block.data += len;
			block.len -= len;
			done += len;
			if (done == run->len) {
				run++;
				done = 0;
			}
		}
	}
	if (!more && tar->sparse && ftruncate(fd, (off_t)tar->size) < 0)
		return rkt_fail_errno(err, "make a file of %ju bytes", (uintmax_t)tar->size);
	return more;
}

/* The file ENTRY as NAME below DIR. */
static int extract_file(struct extraction *x, int dir, const char *name,
	const struct image_entry *e, rkt_error **err)
{
	auto_fd int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return rkt_fail_errno(err, "create");
	if (copy_data(x, e->tar, fd, err) < 0)
		return -1;
	return attrs_set_file(fd, e->tar, x->options, &x->report, err);
}

static int extract_dir(struct extraction *x, int dir, const struct image_entry *e, rkt_error **err)
{
	const char *name = *e->path ? extract_base(e->path) : ".";
	auto_fd int fd = -1;

	if (*e->path && mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return rkt_fail_errno(err, "mkdir");
	if (extract_dirs_note(&x->dirs, x->root, e, x->options, &x->report, err) < 0)
		return -1;
	if (!e->tar->xattr_count && !x->layered)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	if (x->layered && attrs_clear_xattrs(fd, err) < 0)
		return -1;
	return attrs_set_xattrs(fd, e->tar, x->options, &x->report, err);
}

static int extract_symlink(
	struct extraction *x, int dir, const struct image_entry *e, rkt_error **err)
{
	if (symlinkat(e->tar->link, dir, extract_base(e->path)) < 0)
		return rkt_fail_errno(err, "create symbolic link");
	return attrs_set_at(dir, extract_base(e->path), e->tar, x->options, &x->report, err);
}

/* A link to what the whitelist left out: the file was put aside. */
static int link_aside(struct extraction *x, int dir, const struct image_entry *e, rkt_error **err)
{
	char name[EXTRACT_ASIDE_NAME_SIZE];

	if (!extract_aside_has(&x->aside, e->hard_link, name))
		return rkt_fail(err, RKT_FAILED, "the image is another one now");
	if (linkat(x->aside.dir, name, dir, extract_base(e->path), 0) < 0)
		return rkt_fail_errno(err, "link to %s", e->hard_link);
	return 0;
}

static int extract_hard_link(
	struct extraction *x, int dir, const struct image_entry *e, rkt_error **err)
{
	auto_free char *path = xstrdup(e->hard_link);
	char *slash = strrchr(path, '/');
	auto_fd int from = -1;

	if (!path_filter_keeps(x->filter, e->hard_link, PATH_KIND_OTHER))
		return link_aside(x, dir, e, err);
	if (slash)
		*slash = '\0';
	from = path_open_beneath(x->root, slash ? path : "", O_PATH | O_DIRECTORY, 0);
	if (!extract_chooses(x->options, e->hard_link))
		return rkt_fail(err, RKT_FAILED,
			"is a hard link to %s, which is left out and has its data: take both or neither",
			e->hard_link);
	if (from < 0 || linkat(from, extract_base(e->hard_link), dir, extract_base(e->path), 0) < 0)
		return rkt_fail_errno(err, "link to %s", e->hard_link);
	return 0;
}

static int extract_node(struct extraction *x, int dir, const struct image_entry *e, rkt_error **err)
{
	const struct tar_entry *tar = e->tar;
	mode_t type = tar->type == TAR_CHAR ? S_IFCHR : tar->type == TAR_FIFO ? S_IFIFO : S_IFBLK;
	dev_t dev = tar->type == TAR_FIFO ? 0 : makedev(tar->major, tar->minor);

	if (x->options->devices == EXTRACT_DEVICES_REFUSE)
		return rkt_fail(err, RKT_INVALID,
			"is a %s: device nodes and FIFOs are made only when asked for",
			tar->type == TAR_FIFO ? "FIFO" : "device node");
	if (mknodat(dir, extract_base(e->path), type | 0600, dev) < 0)
		return rkt_fail_errno(err, "mknod");
	return attrs_set_at(dir, extract_base(e->path), tar, x->options, &x->report, err);
}

/* Makes room for the entry of a later layer where DIR has something of that name. */
static int clear_way(int dir, const struct image_entry *e, rkt_error **err)
{
	const char *name = extract_base(e->path);

	if (!*e->path || unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return rkt_fail_errno(err, "remove what an earlier layer has there");
	if (e->tar->type == TAR_DIR)
		return 0;
	return tree_remove(dir, name, err);
}

/* What the whitelist leaves out, but for files that links will want. */
static int leave_out(struct extraction *x, const struct image_entry *e, rkt_error **err)
{
	char name[EXTRACT_ASIDE_NAME_SIZE];

	if (e->tar->type != TAR_FILE || !extract_aside_has(&x->aside, e->path, name))
		return 0;
	return extract_file(x, x->aside.dir, name, e, err);
}

static int extract_entry(struct extraction *x, const struct image_entry *e, rkt_error **err)
{
	ERROR_SCOPE(err, "extracting", *e->path ? e->path : "rootfs");
	int dir;

	if (!extract_aside_keeps(x->filter, e))
		return leave_out(x, e, err);
	dir = parent_of(x, e->path, err);
	if (dir < 0 || (x->layered && clear_way(dir, e, err) < 0))
		return -1;
	x->report.entries += e->tar->type != TAR_DIR; /* those count when they are finished */
	switch (e->tar->type) {
	case TAR_FILE:
		return extract_file(x, dir, extract_base(e->path), e, err);
	case TAR_DIR:
		return extract_dir(x, dir, e, err);
	case TAR_SYMLINK:
		return extract_symlink(x, dir, e, err);
	case TAR_HARDLINK:
		return extract_hard_link(x, dir, e, err);
	case TAR_CHAR:
	case TAR_BLOCKDEV:
	case TAR_FIFO:
		break;
	}
	return extract_node(x, dir, e, err);
}

/* Directories may be on the way to what is chosen, unless they are below what is excluded. */
static bool is_wanted(const struct extraction *x, const struct image_entry *e)
{
	if (e->tar->type == TAR_DIR)
		return !globs_match_above(x->options->excludes, e->path);
	return extract_chooses(x->options, e->path);
}

/* Everything but the directories' own attributes. */
static int extract_entries(struct extraction *x, rkt_error **err)
{
	const struct image_entry *entry;
	int more;

	while ((more = image_next(x->image, &entry, err)) > 0)
		if (ask(x, err) < 0 || (is_wanted(x, entry) && extract_entry(x, entry, err) < 0))
			return -1;
	return more;
}

static int finish(struct extraction *x, rkt_error **err)
{
	return extract_dirs_finish(&x->dirs, x->root, x->options, &x->report, err);
}

/* The root is a directory like any other that may have no entry. */
static int begin(struct extraction *x, rkt_error **err)
{
	extract_dirs_invent(&x->dirs, x->root, "");
	return attrs_shed_acls(x->root, err);
}

int extract_into(image_reader *image, int root, const struct extract_options *options,
	struct extract_report *ret_report, rkt_error **err)
{
	__attribute__((cleanup(extraction_free))) struct extraction x = {
		.image = image,
		.root = root,
		.options = options,
		.parent_fd = -1,
		.dirs = EXTRACT_DIRS_NONE,
	};

	if (begin(&x, err) < 0 || extract_entries(&x, err) < 0 || finish(&x, err) < 0)
		return -1;
	if (ret_report)
		*ret_report = x.report;
	return 0;
}

/* ---- layers ---------------------------------------------------------------------------------- */

static int find_aside(struct extraction *x, size_t number, rkt_error **err)
{
	const struct path_filter *filter = x->filter;
	bool filtered = false;
	image_reader *image;

	for (; filter; filter = filter->above)
		filtered |= filter->count > 0;
	if (!filtered)
		return 0;
	image = x->layers->open(x->layers->context, number, err);
	return image ? extract_aside_find(&x->aside, image, x->filter, err) : -1;
}

static int extract_layer(struct extraction *x, size_t number, rkt_error **err)
{
	x->filter = &x->layers->filters[number];
	x->layered = number > 0;
	if (x->layered)
		extract_dirs_layered(&x->dirs);
	/* what the last layer had a descriptor of may be replaced */
	scope_close(&x->parent_fd);
	x->parent_fd = -1;
	if (find_aside(x, number, err) < 0)
		return -1;
	image_free(x->layer);
	x->image = x->layer = x->layers->open(x->layers->context, number, err);
	if (!x->image || extract_entries(x, err) < 0)
		return -1;
	return extract_aside_clear(&x->aside, err);
}

/* What extract_entries() does for one image; the last layer stays open. */
static int extract_all(struct extraction *x, rkt_error **err)
{
	if (!x->layers)
		return extract_entries(x, err);
	for (size_t i = 0; i < x->layers->count; i++)
		if (extract_layer(x, i, err) < 0)
			return -1;
	return 0;
}

int extract_layers(const struct extract_layers *layers, int root, int aside,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err)
{
	__attribute__((cleanup(extraction_free))) struct extraction x = {
		.root = root,
		.options = options,
		.parent_fd = -1,
		.dirs = EXTRACT_DIRS_NONE,
		.layers = layers,
		.aside.dir = aside,
	};

	if (begin(&x, err) < 0 || extract_all(&x, err) < 0 || finish(&x, err) < 0)
		return -1;
	if (ret_report)
		*ret_report = x.report;
	return 0;
}

/* ---- whole or not at all --------------------------------------------------------------------- */

/* Fills the workshop and lets it appear as NAME. */
static int work(struct extraction *x, struct workshop *w, const char *name, rkt_error **err)
{
	const struct extract_options *options = x->options;

	if (workshop_open(w, name, options->what, err) < 0)
		return -1;
	x->root = w->root_fd;
	if (begin(x, err) < 0 || extract_all(x, err) < 0)
		return -1;
	if (options->what == EXTRACT_IMAGE &&
		workshop_write_manifest(w, image_manifest_bytes(x->image), err) < 0)
		return -1;
	if (options->approve && options->approve(options->context, err) < 0)
		return -1;
	if (finish(x, err) < 0 || (x->aside_room && workshop_remove(x->aside_room, err) < 0))
		return -1;
	return workshop_rename(w, name, err);
}

/* The first error is the one to tell; a second one from here could only hide it. That may be that
 * there are no more descriptors, and it takes some. */
static void undo(struct extraction *x, struct workshop *w)
{
	let_go(x);
	extract_dirs_unlock(&x->dirs, x->root);
	(void)workshop_remove(w, NULL);
}

static int extract_whole(struct extraction *x, int dir, const char *name, rkt_error **err)
{
	auto_workshop struct workshop w = WORKSHOP_IN(dir);

	if (work(x, &w, name, err) == 0)
		return 0;
	undo(x, &w);
	return -1;
}

int extract_image(image_reader *image, int dir, const char *name,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err)
{
	ERROR_SCOPE(err, "extracting to", name);
	__attribute__((cleanup(extraction_free))) struct extraction x = {
		.image = image,
		.options = options,
		.parent_fd = -1,
		.dirs = EXTRACT_DIRS_NONE,
	};

	if (workshop_refuse_existing(dir, name, err) < 0 || extract_whole(&x, dir, name, err) < 0)
		return -1;
	if (ret_report)
		*ret_report = x.report;
	return 0;
}

int extract_layered_image(const struct extract_layers *layers, int dir, const char *name,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err)
{
	ERROR_SCOPE(err, "extracting to", name);
	auto_workshop struct workshop aside = WORKSHOP_IN(dir);
	__attribute__((cleanup(extraction_free))) struct extraction x = {
		.options = options,
		.parent_fd = -1,
		.dirs = EXTRACT_DIRS_NONE,
		.layers = layers,
		.aside_room = &aside,
	};
	int result;

	if (workshop_refuse_existing(dir, name, err) < 0)
		return -1;
	result = workshop_open(&aside, name, EXTRACT_ROOTFS, err);
	x.aside.dir = aside.fd;
	if (result == 0)
		result = extract_whole(&x, dir, name, err);
	(void)workshop_remove(&aside, NULL); /* after an error */
	if (result == 0 && ret_report)
		*ret_report = x.report;
	return result;
}
