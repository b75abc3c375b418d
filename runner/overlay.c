/* A writable tree over a read-only one: overlayfs put together from descriptors. */
#include "runner/overlay.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mount.h"

/* A plain directory becomes a mount of its own here, before the pod's mount namespace is made: the
 * kernel takes no layer from the mounts of another namespace. */
int overlay_open_lower(struct overlay *self, rkt_store *store, const char *uuid,
	const rkt_image_id *id, enum rkt_tree_form wanted, rkt_error **err)
{
	enum rkt_tree_form form;
	auto_fd int tree = rkt_store_open_leased_tree(store, uuid, id, wanted, &form, err);

	if (tree < 0)
		return -1;
	self->lower =
		form == RKT_TREE_EROFS ? pass_fd(tree) : mount_clone(tree, "", MOUNT_ALONE, err);
	return self->lower < 0 ? -1 : 0;
}

int overlay_make(struct overlay *self, int room, const char *name, rkt_error **err)
{
	ERROR_SCOPE(err, "overlay", name);
	struct stat root;

	if (fstat(self->lower, &root) < 0)
		return rkt_fail_errno(err, "stat the tree");
	self->home = fd_make_dir(room, name, 0700, NULL, err);
	if (self->home < 0)
		return -1;
	self->upper = fd_make_dir(self->home, "upper", 0755, NULL, err);
	self->work = fd_make_dir(self->home, "work", 0700, NULL, err);
	if (self->upper < 0 || self->work < 0)
		return -1;
	if (fchown(self->upper, root.st_uid, root.st_gid) < 0 ||
		fchmod(self->upper, root.st_mode & 07777) < 0)
		return rkt_fail_errno(err, "set owner and mode of upper");
	return 0;
}

/* The layers as descriptors: Linux 6.13 and later. */
static int mount_by_fd(const struct overlay *self, rkt_error **err)
{
	const struct mount_option options[] = {
		{ .key = "lowerdir+", .fd = self->lower },
		{ .key = "upperdir", .fd = self->upper },
		{ .key = "workdir", .fd = self->work },
		{ 0 },
	};

	return mount_new("overlay", options, MOUNT_ATTR_NODEV, err);
}

/*
 * The layers as paths of descriptors: any kernel. Older ones take no detached mount as a layer, so
 * the lower tree is attached beside the upper layer first; it stays there as long as the pod's
 * namespace.
 */
static int mount_by_path(const struct overlay *self, rkt_error **err)
{
	char lower[32], upper[32], work[32];
	const struct mount_option options[] = {
		{ .key = "lowerdir", .value = lower },
		{ .key = "upperdir", .value = upper },
		{ .key = "workdir", .value = work },
		{ 0 },
	};
	auto_fd int place = fd_make_dir(self->home, "lower", 0755, NULL, err);

	if (place < 0 || mount_attach(self->lower, place, err) < 0)
		return -1;
	snprintf(lower, sizeof lower, "/proc/self/fd/%d", self->lower);
	snprintf(upper, sizeof upper, "/proc/self/fd/%d", self->upper);
	snprintf(work, sizeof work, "/proc/self/fd/%d", self->work);
	return mount_new("overlay", options, MOUNT_ATTR_NODEV, err);
}

int overlay_mount(const struct overlay *self, enum overlay_fault *ret_fault, rkt_error **err)
{
	auto_error rkt_error *by_fd = NULL, *by_path = NULL;
	int mnt = mount_by_fd(self, &by_fd);

	if (mnt >= 0)
		return mnt;
	*ret_fault = OVERLAY_FAILED;
	if (rkt_error_errno(by_fd) != EINVAL)
		return rkt_fail_with(err, pass_ptr(by_fd));
	mnt = mount_by_path(self, &by_path);
	if (mnt >= 0)
		return mnt;
	if (rkt_error_errno(by_path) == EINVAL)
		*ret_fault = OVERLAY_NO_UPPER;
	return rkt_fail_with(err, pass_ptr(by_path));
}

void overlay_leave(struct overlay *self)
{
	scope_close(&self->home);
	scope_close(&self->upper);
	scope_close(&self->work);
	self->home = self->upper = self->work = -1;
}

void overlay_close(struct overlay *self)
{
	overlay_leave(self);
	scope_close(&self->lower);
	self->lower = -1;
}
