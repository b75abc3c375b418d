/* Opening, making and refusing data directories. */
#include "store/layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/str.h"
#include "config/paths.h"

#define SYSTEM_DIR "/var/lib/rkt"

/* Where a shard's two digits begin in "sha256-ab...". */
#define ID_DIGITS 7

char *layout_default_path(rkt_error **err)
{
	const char *given = getenv("RKT_DIR"), *data = getenv("XDG_DATA_HOME"),
		   *home = getenv("HOME");
	auto_config_paths struct config_paths paths = { 0 };

	if (given && *given)
		return xstrdup(given);
	if (config_paths_read(&paths, err) < 0)
		return NULL;
	if (paths.data.path)
		return pass_ptr(paths.data.path);
	if (geteuid() == 0)
		return xstrdup(SYSTEM_DIR);
	if (data && *data == '/') /* the XDG text: relative ones are to be ignored */
		return xasprintf("%s/rkt", data);
	if (home && *home == '/')
		return xasprintf("%s/.local/share/rkt", home);
	rkt_fail(err, RKT_USAGE, "no data directory: give one by --dir or RKT_DIR, as HOME is %s",
		home && *home ? "no absolute path" : "not set");
	return NULL;
}

static int sync_parent(const char *path, rkt_error **err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	auto_free char *parent = slash ? xmemdup(path, len ? len : 1) : xstrdup(".");
	auto_fd int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return rkt_fail_errno(err, "open %s", parent);
	return fsync(fd) < 0 ? rkt_fail_errno(err, "fsync %s", parent) : 0;
}

/* Drops what PATH ends with after the name of the folder it is about: "/", "/.", "/./". */
static void end_with_name(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && (path[len - 1] == '/' || (path[len - 1] == '.' && path[len - 2] == '/')))
		path[--len] = '\0';
}

/* Makes PATH and its missing parents. These are the user's own words, so symlinks in them hold. */
static int make_path(const char *path, rkt_error **err)
{
	auto_free char *part = xstrdup(path);

	end_with_name(part); /* the last one made is to be private */
	for (char *at = part + 1;; at++) {
		char here = *at;

		if (here && here != '/')
			continue;
		*at = '\0';
		if (mkdir(part, here ? 0755 : 0700) == 0) {
			if (!here && chmod(part, 0700) < 0) /* mkdir subtracts the umask */
				return rkt_fail_errno(err, "chmod %s", part);
			if (sync_parent(part, err) < 0)
				return -1;
		} else if (errno != EEXIST) {
			return rkt_fail_errno(err, "mkdir %s", part);
		}
		if (!here)
			return 0;
		*at = here;
	}
}

static int open_top(const char *path, enum rkt_store_mode mode, rkt_error **err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? rkt_fail_errno(err, "open %s", path) : fd;
	if (mode == RKT_STORE_READ)
		return rkt_fail(err, RKT_MISSING, "there is no store at %s", path);
	if (make_path(path, err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? rkt_fail_errno(err, "open %s", path) : fd;
}

static char *path_of_fd(int fd, rkt_error **err)
{
	char self[32], path[4096];
	ssize_t len;

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	len = readlink(self, path, sizeof path);
	if (len < 0 && errno == ENOENT) {
		rkt_fail(err, RKT_FAILED, "/proc is not mounted, and the store needs it");
		return NULL;
	}
	if (len < 0 || len == sizeof path) {
		rkt_fail_errno(err, "readlink %s", self);
		return NULL;
	}
	return xmemdup(path, (size_t)len);
}

/* Whether this user may read the folder FD, which ST describes, as a member of the group that root
 * shares it with (share.c gives it these bits). */
static bool is_shared(int fd, const struct stat *st)
{
	return st->st_uid == 0 && geteuid() != 0 && (st->st_mode & S_ISGID) &&
	       faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) == 0;
}

/* Whether FD's folder is one this user may keep a store in (S-046). NAME is for the message. */
static int check_owner(int fd, const char *name, enum rkt_store_mode mode, rkt_error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat %s", name);
	if (geteuid() == 0 && st.st_uid != 0)
		return rkt_fail(err, RKT_FAILED,
			"%s belongs to user %u, not to root: give another directory by --dir or RKT_DIR",
			name, st.st_uid);
	if (st.st_mode & S_IWOTH)
		return rkt_fail(err, RKT_FAILED, "%s is writable by everybody", name);
	if (faccessat(fd, ".", W_OK, AT_EACCESS) == 0 || geteuid() == 0 || is_shared(fd, &st))
		return 0;
	if (errno == EROFS && mode == RKT_STORE_READ)
		return 0;
	if (st.st_uid == geteuid())
		return rkt_fail_errno(err, "%s is yours (mode %04o), but you may not write there",
			name, st.st_mode & 07777);
	return rkt_fail_errno(err,
		"%s belongs to user %u and is not writable for user %u: "
		"give a directory of your own by --dir or RKT_DIR",
		name, st.st_uid, geteuid());
}

static int refuse_old_rkt(const struct layout *self, rkt_error **err)
{
	if (faccessat(self->top, "cas/db/ql.db", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return rkt_fail(err, RKT_INVALID,
		"%s belongs to old rkt (cas/db/ql.db): take another directory by --dir or RKT_DIR, and bring its images over there by "
		"rkt-store import --from-rkt %s",
		self->path, self->path);
}

/* NAME below PARENT could not be opened; WHY is taken over. Who moved a folder to another disk and
 * left a link will not understand that it is no directory. */
static int fail_folder(int parent, const char *name, rkt_error *why, rkt_error **err)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(st.st_mode))
		return rkt_fail_with(err, why);
	rkt_error_free(why);
	return rkt_fail(err, RKT_FAILED,
		"%s is a symbolic link, and none is followed there: move the whole data directory "
		"instead, and name it by --dir or RKT_DIR",
		name);
}

/* Opens or makes the folder NAME below PARENT. */
static int open_folder(int parent, const char *name, enum rkt_store_mode mode, rkt_error **err)
{
	rkt_error *why = NULL;
	auto_fd int fd = -1;
	bool made = false;

	fd = mode == RKT_STORE_READ ? fd_open_dir(parent, name, &why)
				    : fd_make_dir(parent, name, 0700, &made, &why);
	if (fd < 0)
		return fail_folder(parent, name, why, err);
	if (made && fsync(parent) < 0)
		return rkt_fail_errno(err, "fsync the folder of %s", name);
	if (check_owner(fd, name, mode, err) < 0)
		return -1;
	return pass_fd(fd);
}

/* Opens or makes NAME/sha256 below PARENT. */
static int open_shelf(int parent, const char *name, enum rkt_store_mode mode, rkt_error **err)
{
	auto_fd int fd = open_folder(parent, name, mode, err);

	return fd < 0 ? -1 : open_folder(fd, "sha256", mode, err);
}

static int open_folders(struct layout *self, enum rkt_store_mode mode, rkt_error **err)
{
	auto_fd int cas = open_folder(self->top, "cas", mode, err);

	if (cas < 0)
		return -1;
	if ((self->tmp = open_folder(cas, "tmp", mode, err)) < 0 ||
		(self->index = open_folder(cas, "index", mode, err)) < 0 ||
		(self->blob = open_shelf(cas, "blob", mode, err)) < 0 ||
		(self->erofs = open_shelf(cas, "erofs", mode, err)) < 0)
		return -1;
	if (mode == RKT_STORE_WRITE && (self->partial = open_folder(cas, "partial", mode, err)) < 0)
		return -1;
	if (self->member)
		return 0;
	if ((self->rootfs = open_shelf(cas, "rootfs", mode, err)) < 0 ||
		(self->mnt = open_folder(cas, "mnt", mode, err)) < 0 ||
		(self->containers = open_folder(self->top, "containers", mode, err)) < 0)
		return -1;
	return 0;
}

static int find_membership(struct layout *self, rkt_error **err)
{
	struct stat st;

	if (fstat(self->top, &st) < 0)
		return rkt_fail_errno(err, "stat %s", self->path);
	self->member = is_shared(self->top, &st);
	return 0;
}

int layout_open(struct layout *self, const char *path, enum rkt_store_mode mode, rkt_error **err)
{
	auto_free char *fallback = path ? NULL : layout_default_path(err);
	auto_error rkt_error *why = NULL;

	if (!path && !fallback)
		return -1;
	path = path ? path : fallback;
	if (!*path)
		return rkt_fail(err, RKT_USAGE, "the name of the data directory is empty");
	self->top = open_top(path, mode, err);
	if (self->top < 0)
		return -1;
	self->path = path_of_fd(self->top, err);
	if (!self->path)
		return -1;
	if (check_owner(self->top, self->path, mode, err) < 0 || refuse_old_rkt(self, err) < 0 ||
		find_membership(self, err) < 0)
		return -1;
	if (open_folders(self, mode, &why) == 0)
		return 0;
	if (rkt_error_kind(why) == RKT_MISSING)
		return rkt_fail(err, RKT_MISSING, "there is no store at %s", self->path);
	rkt_fail_with(err, pass_ptr(why));
	return rkt_fail_outer(err, "data directory %s", self->path);
}

void layout_close(struct layout *self)
{
	int *fds[] = { &self->top, &self->index, &self->blob, &self->erofs, &self->rootfs,
		&self->mnt, &self->tmp, &self->partial, &self->containers };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		scope_close(fds[i]);
		*fds[i] = -1;
	}
	free(self->path);
	self->path = NULL;
}

int layout_check_owner(const struct layout *self, rkt_error **err)
{
	return self->member
		       ? rkt_fail(err, RKT_FAILED,
				 "%s belongs to root: members of its group may list, import and read "
				 "images, nothing else",
				 self->path)
		       : 0;
}

static void shard_name(const rkt_image_id *id, char out[static 3])
{
	memcpy(out, id->text + ID_DIGITS, 2);
	out[2] = '\0';
}

int layout_shard_open(int shelf, const rkt_image_id *id, rkt_error **err)
{
	char shard[3];

	shard_name(id, shard);
	return fd_open_dir(shelf, shard, err);
}

int layout_shard_make(int shelf, const rkt_image_id *id, rkt_error **err)
{
	char shard[3];

	shard_name(id, shard);
	return open_folder(shelf, shard, RKT_STORE_WRITE, err);
}

int layout_open_file(
	int shelf, const rkt_image_id *id, uint64_t size, const char *what, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int shard = layout_shard_open(shelf, id, &why), fd = -1;
	struct stat st = { 0 };

	if (shard < 0 && rkt_error_kind(why) != RKT_MISSING)
		return rkt_fail_with(err, pass_ptr(why));
	if (shard >= 0)
		fd = openat(shard, id->text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (shard < 0 || (fd < 0 && errno == ENOENT))
		return rkt_fail(err, RKT_MISSING, "%s is gone", what);
	/* a symlink, and a socket (open(2)) */
	if ((fd < 0 && errno != ELOOP && errno != ENXIO) || (fd >= 0 && fstat(fd, &st) < 0))
		return rkt_fail_errno(err, "open %s", what);
	if (!S_ISREG(st.st_mode))
		return rkt_fail(err, RKT_INVALID, "%s is damaged: it is no file", what);
	if ((uint64_t)st.st_size != size)
		return rkt_fail(err, RKT_INVALID, "%s is damaged: it has %lld bytes, not %llu",
			what, (long long)st.st_size, (unsigned long long)size);
	return pass_fd(fd);
}

char *layout_file_path(const struct layout *self, const char *what, const rkt_image_id *id)
{
	char shard[3];

	shard_name(id, shard);
	return xasprintf("%s/cas/%s/sha256/%s/%s", self->path, what, shard, id->text);
}

int layout_lock(const struct layout *self, enum layout_naming what, rkt_error **err)
{
	/* flock belongs to the open file: a descriptor of its own for every holder */
	auto_fd int fd = openat(self->tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (what == LAYOUT_REMOVING && layout_check_owner(self, err) < 0)
		return -1;
	if (fd < 0)
		return rkt_fail_errno(err, "open cas/tmp");
	if (lock_wait(fd, what == LAYOUT_NAMING ? LOCK_SHARED : LOCK_EXCLUSIVE, err) < 0)
		return -1;
	return pass_fd(fd);
}

int layout_open_import_lock(const struct layout *self, rkt_error **err)
{
	/* it stays empty and stays there: nothing is left that must be removed */
	int fd =
		openat(self->index, "import.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? rkt_fail_errno(err, "open cas/index/import.lock") : fd;
}

int layout_has_entries(int dir, rkt_error **err)
{
	auto_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream)
		return rkt_fail_errno(err, "open folder");
	fd = -1; /* the stream owns it */
	while ((errno = 0, entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 1;
	return errno ? rkt_fail_errno(err, "read folder") : 0;
}
