/* A directory beside the destination: made, filled by others, renamed or removed. */
#include "aci/extract_workshop.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "aci/extract_attrs.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/tree.h"

static void close_both(struct workshop *self)
{
	scope_close(&self->fd);
	scope_close(&self->root_fd);
	self->fd = self->root_fd = -1;
}

void workshop_free(struct workshop *self)
{
	close_both(self);
	scope_free(&self->name);
}

/* Whether something is mounted on the directory FD, be it of the file system it is on. */
static bool is_mount_point(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int workshop_refuse_existing(int dir, const char *name, rkt_error **err)
{
	auto_fd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_dir DIR *stream = NULL;
	const struct dirent *entry;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return rkt_fail(err, RKT_FAILED, "it exists and is not a directory");
	if (fd >= 0 && is_mount_point(fd)) /* nothing can be renamed to take its place */
		return rkt_fail(err, RKT_FAILED, "it is a mount point: name a directory in it");
	if (fd < 0 || !(stream = fdopendir(fd)))
		return rkt_fail_errno(err, "open");
	fd = -1; /* the stream owns it */
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return rkt_fail(err, RKT_FAILED, "it exists and is not empty");
	return 0;
}

static int make_name(struct workshop *self, const char *name, rkt_error **err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[6];
	char suffix[sizeof random + 1] = { 0 };

	if (getrandom(random, sizeof random, 0) != sizeof random)
		return rkt_fail_errno(err, "getrandom");
	for (size_t i = 0; i < sizeof random; i++)
		suffix[i] = letters[random[i] % 32];
	self->name = xasprintf(".%.*s.%s", NAME_MAX - 8, name, suffix);
	return 0;
}

int workshop_open(struct workshop *self, const char *name, enum extract_what what, rkt_error **err)
{
	if (make_name(self, name, err) < 0)
		return -1;
	if (mkdirat(self->dir, self->name, 0700) < 0) {
		scope_free(&self->name); /* not ours to remove */
		self->name = NULL;
		return rkt_fail_errno(err, "make a directory beside it");
	}
	self->fd = fd_open_dir(self->dir, self->name, err);
	if (self->fd < 0 || attrs_shed_acls(self->fd, err) < 0)
		return -1;
	self->root_fd = what == EXTRACT_ROOTFS ? fd_open_dir(self->fd, ".", err)
					       : fd_make_dir(self->fd, "rootfs", 0700, NULL, err);
	return self->root_fd < 0 ? -1 : 0;
}

int workshop_write_manifest(const struct workshop *self, struct slice bytes, rkt_error **err)
{
	ERROR_SCOPE(err, "writing", "manifest");
	auto_fd int fd =
		openat(self->fd, "manifest", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return rkt_fail_errno(err, "create");
	if (fd_write_all(fd, bytes.data, bytes.len, err) < 0)
		return -1;
	if (fchmod(fd, 0644) < 0 || fchmod(self->fd, 0755) < 0)
		return rkt_fail_errno(err, "chmod");
	return 0;
}

int workshop_rename(const struct workshop *self, const char *name, rkt_error **err)
{
	/* a directory replaces nothing but an empty directory: rename(2) */
	if (renameat(self->dir, self->name, self->dir, name) < 0)
		return rkt_fail_errno(err, "rename");
	return 0;
}

int workshop_remove(struct workshop *self, rkt_error **err)
{
	close_both(self); /* where descriptors have run out, removing takes these */
	if (self->name && tree_remove(self->dir, self->name, err) < 0)
		return -1;
	scope_free(&self->name);
	self->name = NULL;
	return 0;
}
