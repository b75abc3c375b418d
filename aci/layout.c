/* A walk over a layout on disk, with the rules that archives have. */
#include "aci/layout.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "aci/build_attrs.h"
#include "aci/stat_entry.h"
#include "aci/tar_safe.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"

#define MANIFEST_NAME "manifest"
#define ROOTFS_NAME   "rootfs"
#define ROOTFS_PREFIX "rootfs/"

struct walk {
	int dir;
	const struct layout_options *options;
	struct image_limits limits;
	struct stat manifest; /* st_ino 0: there is none */
	int rootfs;           /* -1: there is none */
	struct names pending; /* directories below the rootfs still to be read */
	uint64_t count;
};

/* Reports a breach at PATH; 0 when reading goes on. */
#define BREACH(w, path, err, rule, ...) \
	check_report((w)->options->check, rule, path, err, __VA_ARGS__)

/* ---- the top --------------------------------------------------------------------------------- */

static int read_manifest(struct walk *w, rkt_error **err)
{
	auto_buf struct buf bytes = { 0 };
	auto_image_manifest struct image_manifest *manifest = NULL;
	struct check *found = w->options->check;
	rkt_error *own = NULL;

	if ((uint64_t)w->manifest.st_size > w->limits.manifest_max)
		return BREACH(w, MANIFEST_NAME, err, "layout-manifest-size",
			"the manifest has %lld bytes, the limit is %llu",
			(long long)w->manifest.st_size, (unsigned long long)w->limits.manifest_max);
	if (fd_read_file(w->dir, MANIFEST_NAME, w->limits.manifest_max, &bytes, err) < 0)
		return -1;
	check_within(found, MANIFEST_NAME, NULL);
	manifest = image_manifest_parse(buf_slice(&bytes), found, &own);
	check_within(found, NULL, NULL);
	if (manifest)
		return 0;
	if (!found || check_mode_of(found) == CHECK_FIRST)
		return rkt_fail_with(err, own);
	rkt_error_free(own); /* it is among the findings */
	return 0;
}

static int look_at_manifest(struct walk *w, rkt_error **err)
{
	if (fstatat(w->dir, MANIFEST_NAME, &w->manifest, AT_SYMLINK_NOFOLLOW) < 0) {
		w->manifest.st_ino = 0;
		if (errno != ENOENT)
			return rkt_fail_errno(err, "stat %s", MANIFEST_NAME);
		return BREACH(w, NULL, err, "layout-manifest-missing", "there is no manifest");
	}
	if (!S_ISREG(w->manifest.st_mode))
		return BREACH(w, MANIFEST_NAME, err, "layout-manifest-type",
			"the manifest is not a regular file");
	return read_manifest(w, err);
}

static int look_at_rootfs(struct walk *w, rkt_error **err)
{
	struct stat st;

	if (fstatat(w->dir, ROOTFS_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return rkt_fail_errno(err, "stat %s", ROOTFS_NAME);
		return BREACH(w, NULL, err, "layout-rootfs-missing", "there is no rootfs");
	}
	if (!S_ISDIR(st.st_mode))
		return BREACH(
			w, ROOTFS_NAME, err, "layout-rootfs-type", "the rootfs is not a directory");
	w->rootfs = fd_open_dir(w->dir, ROOTFS_NAME, err);
	return w->rootfs < 0 ? -1 : 0;
}

static int look_at_others(struct walk *w, rkt_error **err)
{
	auto_names struct names names = { 0 };
	int fd = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return rkt_fail_errno(err, "open directory");
	if (names_of_dir(fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		if (strcmp(name, MANIFEST_NAME) != 0 && strcmp(name, ROOTFS_NAME) != 0 &&
			BREACH(w, name, err, "layout-top",
				"stands neither below rootfs/ nor is it the manifest") < 0)
			return -1;
	}
	return 0;
}

/* ---- below the rootfs ------------------------------------------------------------------------ */

/* Shows the entry to who wants to see it. */
static int see(struct walk *w, struct tar_entry *tar, const struct stat *st, rkt_error **err)
{
	const char *path = tar->path + strlen(ROOTFS_NAME);
	__attribute__((cleanup(build_attrs_free))) struct build_attrs attrs = { 0 };
	const struct image_entry entry = { .path = *path ? path + 1 : path, .tar = tar };
	bool opens = tar->type == TAR_FILE || tar->type == TAR_DIR;
	auto_fd int fd = -1;

	stat_entry_fill(st, tar);
	tar->size = tar->type == TAR_FILE ? (uint64_t)st->st_size : 0;
	tar->header_offset = LAYOUT_NO_OFFSET;
	fd = path_open_beneath(w->rootfs, entry.path, opens ? O_RDONLY | O_NONBLOCK : O_PATH, 0);
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	if (build_attrs_read(fd, &attrs, err) < 0)
		return -1;
	tar->xattrs = attrs.items;
	tar->xattr_count = attrs.count;
	return w->options->see(w->options->context, &entry, err);
}

static int look_at_entry(struct walk *w, const char *path, const struct stat *st, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", path);
	struct tar_entry tar = { .path = path, .path_len = strlen(path) };

	if (!stat_entry_type(st->st_mode, &tar.type))
		return BREACH(w, path, err, "layout-file-type", "is a socket");
	if (w->manifest.st_ino && st->st_ino == w->manifest.st_ino &&
		st->st_dev == w->manifest.st_dev &&
		BREACH(w, path, err, "layout-hardlink-manifest", "is a hard link to the manifest") <
			0)
		return -1;
	return w->options->see ? see(w, &tar, st, err) : 0;
}

/* PATH begins with "rootfs/". What breaks a limit is not looked at further. */
static int check_limits(struct walk *w, const char *path, bool *ret_ok, rkt_error **err)
{
	auto_error rkt_error *error = NULL;
	auto_buf struct buf safe = { 0 };
	const struct slice raw = slice_of_text(path);

	*ret_ok = tar_safe_path(raw, &w->limits.tar, &safe, &error) == 0;
	if (!*ret_ok)
		return BREACH(w, path, err, "layout-limits", "%s", rkt_error_raw(error));
	if (++w->count <= w->limits.tar.entries_max)
		return 0;
	/* nothing is gained by reading on */
	(void)BREACH(w, NULL, NULL, "layout-limits", "there are more than %llu files",
		(unsigned long long)w->limits.tar.entries_max);
	return rkt_fail(err, RKT_INVALID, "there are more than %llu files",
		(unsigned long long)w->limits.tar.entries_max);
}

/* One name in the directory FD, whose path below the rootfs is BELOW. */
static int look_at_name(
	struct walk *w, int fd, const char *below, const char *name, rkt_error **err)
{
	auto_free char *path = xasprintf(ROOTFS_PREFIX "%s%s%s", below, *below ? "/" : "", name);
	struct stat st;
	bool ok;

	if (check_limits(w, path, &ok, err) < 0)
		return -1;
	if (!ok)
		return 0;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "stat %s", path);
	if (S_ISDIR(st.st_mode))
		names_add(&w->pending, xstrdup(path + strlen(ROOTFS_PREFIX)));
	return look_at_entry(w, path, &st, err);
}

/* The last of the pending directories. */
static int read_pending(struct walk *w, rkt_error **err)
{
	auto_free char *below = w->pending.items[--w->pending.count];
	auto_names struct names names = { 0 };
	auto_fd int fd = path_open_beneath(w->rootfs, below, O_RDONLY | O_DIRECTORY, 0);
	int own = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0)
		return rkt_fail_errno(err, "open %s%s", ROOTFS_PREFIX, below);
	if (names_of_dir(own, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (look_at_name(w, fd, below, names.items[i], err) < 0)
			return -1;
	return 0;
}

static int walk_rootfs(struct walk *w, rkt_error **err)
{
	struct stat st;

	if (fstat(w->rootfs, &st) < 0)
		return rkt_fail_errno(err, "stat %s", ROOTFS_NAME);
	if (look_at_entry(w, ROOTFS_NAME, &st, err) < 0)
		return -1;
	names_add(&w->pending, xstrdup(""));
	while (w->pending.count)
		if (read_pending(w, err) < 0)
			return -1;
	return 0;
}

int layout_read_through(int dir, const struct layout_options *options, rkt_error **err)
{
	struct walk w = {
		.dir = dir,
		.options = options,
		.limits = options->limits ? *options->limits : image_limits_default(),
		.rootfs = -1,
	};
	int done = look_at_others(&w, err);

	if (done == 0)
		done = look_at_manifest(&w, err);
	if (done == 0)
		done = look_at_rootfs(&w, err);
	if (done == 0 && w.rootfs >= 0)
		done = walk_rootfs(&w, err);
	scope_close(&w.rootfs);
	names_free(&w.pending);
	return done;
}
