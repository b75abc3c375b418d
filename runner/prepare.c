/* Filling a pod directory and mounting the pod. */
#include "runner/prepare.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/draft.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"
#include "stage1/contract.h"

/* STAGE1_STAGE2 without its first part: as seen from the top of the stage1 tree. */
#define STAGE2_PARENT "opt"
#define STAGE2_DIR    "opt/stage2"

void prepare_name_apps(struct prepare_app *apps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *id = apps[i].image->id.text;
		unsigned uses = 1;

		for (size_t j = 0; j < i; j++)
			uses += strcmp(apps[j].image->id.text, id) == 0;
		apps[i].dir = uses == 1 ? xasprintf(STAGE1_APP_DIR_FORMAT, id)
					: xasprintf(STAGE1_APP_DIR_REPEAT_FORMAT, id, uses);
	}
}

static int make_dir(int dir, const char *path, rkt_error **err)
{
	return mkdirat(dir, path, 0755) < 0 ? rkt_fail_errno(err, "mkdir %s", path) : 0;
}

static int make_files(const struct prepare *self, rkt_error **err)
{
	static const char *const dirs[] = { POD_STAGE1, POD_OVERLAY, STAGE1_STATUS, STAGE1_LOG };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (make_dir(self->pod->fd, dirs[i], err) < 0)
			return -1;
	return draft_write(self->pod->fd, STAGE1_POD_MANIFEST, self->pod_manifest, 0644, err);
}

/* ---- stage1's tree -------------------------------------------------------------------------- */

/* opt/stage2/<DIR>/{manifest,rootfs/} of one app, written into UPPER before it is mounted: there it
 * is a plain directory, through the mount every step would be a copy-up. */
static int make_stage2(int upper, const struct prepare_app *app, rkt_error **err)
{
	const struct slice manifest = { (const uint8_t *)app->image->manifest,
		app->image->manifest_len };
	auto_free char *path = xasprintf(STAGE2_DIR "/%s", app->dir);
	auto_fd int dir = -1;

	if (make_dir(upper, path, err) < 0)
		return -1;
	dir = fd_open_dir(upper, path, err);
	if (dir < 0 || make_dir(dir, "rootfs", err) < 0)
		return -1;
	return draft_write(dir, "manifest", manifest, 0644, err);
}

static int make_stage1(struct prepare *self, int room, rkt_error **err)
{
	int upper;

	if (overlay_make(&self->stage1, room, "stage1", err) < 0)
		return -1;
	upper = self->stage1.upper;
	if (make_dir(upper, STAGE2_PARENT, err) < 0 || make_dir(upper, STAGE2_DIR, err) < 0)
		return -1;
	for (size_t i = 0; i < self->app_count; i++)
		if (make_stage2(upper, &self->apps[i], err) < 0)
			return -1;
	return 0;
}

/* ---- mounts --------------------------------------------------------------------------------- */

static int attach(int mnt, int dir, const char *path, rkt_error **err)
{
	ERROR_SCOPE(err, "attaching", path);
	auto_fd int target = path_open_beneath(dir, path, O_PATH | O_DIRECTORY, 0);

	return target < 0 ? rkt_fail_errno(err, "open") : mount_attach(mnt, target, err);
}

/* A tmpfs on <pod>/overlay: its top, for *ROOM. */
static int move_to_memory(int *room, rkt_error **err)
{
	const struct mount_option options[] = { { .key = "mode", .value = "0700" }, { 0 } };
	auto_fd int mnt = mount_new("tmpfs", options, MOUNT_ATTR_NODEV, err);

	if (mnt < 0 || attach(mnt, AT_FDCWD, POD_OVERLAY, err) < 0)
		return -1;
	scope_close(room);
	*room = pass_fd(mnt);
	return 0;
}

/* Makes and attaches the stage1 tree; this first overlay of the pod finds out whether *ROOM will
 * do. Returns the mount. */
static int mount_stage1(
	struct prepare *self, int *room, enum prepare_room *ret_room, rkt_error **err)
{
	auto_error rkt_error *no_upper = NULL;
	enum overlay_fault fault;
	auto_fd int mnt = -1;

	if (make_stage1(self, *room, err) < 0)
		return -1;
	mnt = overlay_mount(&self->stage1, &fault, &no_upper);
	*ret_room = PREPARE_ON_DISK;
	if (mnt < 0 && fault != OVERLAY_NO_UPPER)
		return rkt_fail_with(err, pass_ptr(no_upper));
	if (mnt < 0) {
		overlay_leave(&self->stage1);
		if (move_to_memory(room, err) < 0 || make_stage1(self, *room, err) < 0)
			return -1;
		mnt = overlay_mount(&self->stage1, &fault, err);
		*ret_room = PREPARE_IN_MEMORY;
	}
	if (mnt < 0 || attach(mnt, AT_FDCWD, POD_STAGE1, err) < 0)
		return -1;
	return pass_fd(mnt);
}

static int mount_app(struct prepare_app *app, int room, int stage1, rkt_error **err)
{
	auto_free char *path = xasprintf(STAGE2_DIR "/%s/rootfs", app->dir);
	enum overlay_fault fault;
	auto_fd int mnt = -1;

	if (overlay_make(&app->overlay, room, app->dir, err) < 0)
		return -1;
	mnt = overlay_mount(&app->overlay, &fault, err);
	return mnt < 0 ? -1 : attach(mnt, stage1, path, err);
}

/*
 * Takes the pod directory along into a new mount namespace as the working directory: that is the
 * one place the kernel moves over. A descriptor opened before leads to the old namespace's mounts
 * for good, and nothing can be attached there.
 */
static int enter_namespace(const struct pod_dir *pod, rkt_error **err)
{
	if (fchdir(pod->fd) < 0)
		return rkt_fail_errno(err, "change into pod directory");
	if (unshare(CLONE_NEWNS) < 0)
		return rkt_fail_errno(err, "unshare mount namespace");
	return mount_make_private(err);
}

int prepare_pod(struct prepare *self, enum prepare_room *ret_room, rkt_error **err)
{
	ERROR_SCOPE(err, "preparing pod", self->pod->uuid);
	auto_fd int room = -1, stage1 = -1;

	if (make_files(self, err) < 0)
		return -1;
	if (enter_namespace(self->pod, err) < 0)
		return -1;
	room = fd_open_dir(AT_FDCWD, POD_OVERLAY, err);
	if (room < 0)
		return -1;
	stage1 = mount_stage1(self, &room, ret_room, err);
	if (stage1 < 0)
		return -1;
	for (size_t i = 0; i < self->app_count; i++)
		if (mount_app(&self->apps[i], room, stage1, err) < 0)
			return -1;
	return 0;
}
