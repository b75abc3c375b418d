/* Volume sources become descriptors first, mounts in the app's root later. */
#include "stage1/native/volumes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"
#include "stage1/contract.h"

/* What is to be mounted, before its source is opened. */
struct wish {
	const char *name, *target;
	const struct pod_volume *volume; /* NULL: an empty directory of the app's own */
	bool read_only;
};

static const struct pod_volume *find_volume(const struct pod_manifest *pod, const char *name)
{
	for (size_t i = 0; i < pod->volume_count; i++)
		if (strcmp(pod->volumes[i].name, name) == 0)
			return &pod->volumes[i];
	return NULL;
}

/* Whether PATH is TOP or lies below it; slashes are compared as written, doubled ones skipped. */
static bool lies_below(const char *path, const char *top)
{
	for (;;) {
		size_t len;

		top += strspn(top, "/");
		path += strspn(path, "/");
		len = strcspn(top, "/");
		if (!len)
			return true;
		if (strncmp(path, top, len) != 0 || (path[len] && path[len] != '/'))
			return false;
		path += len;
		top += len;
	}
}

static int check_target(const struct app_volumes *volumes, const char *target, rkt_error **err)
{
	if (*target != '/' || !target[strspn(target, "/")])
		return rkt_fail(err, RKT_INVALID, "cannot mount on %s", target);
	if (lies_below(target, "/proc") || lies_below(target, "/sys"))
		return rkt_fail(err, RKT_INVALID, "cannot mount on %s: it is the kernel's", target);
	for (size_t i = 0; i < volumes->count; i++)
		if (lies_below(target, volumes->list[i].target) ||
			lies_below(volumes->list[i].target, target))
			return rkt_fail(err, RKT_INVALID, "%s and %s overlap", target,
				volumes->list[i].target);
	return 0;
}

/* A mode without the umask; owned as the manifest says. The first app that uses it makes it. */
static int make_empty(int pod, const char *name, const struct pod_volume *volume, rkt_error **err)
{
	auto_fd int shelf = fd_make_dir(pod, STAGE1_VOLUMES, 0755, NULL, err);
	auto_fd int dir = -1;
	bool made;

	if (shelf < 0)
		return -1;
	dir = fd_make_dir(shelf, name, volume ? volume->mode : 0755, &made, err);
	if (dir < 0)
		return -1;
	if (made && volume && fchown(dir, volume->uid, volume->gid) < 0)
		return rkt_fail_errno(err, "chown");
	if (made && volume && fchmod(dir, volume->mode) < 0) /* chown drops setuid and setgid */
		return rkt_fail_errno(err, "chmod");
	return pass_fd(dir);
}

/* The source, opened without following a single symbolic link (appc ace.md, Volume Setup). */
static int open_source(
	int pod, const struct ready_app *app, const struct wish *wish, rkt_error **err)
{
	auto_free char *own = NULL;
	auto_fd int root = -1;
	int fd;

	if (!wish->volume) {
		own = xasprintf("%s.%s", app->name, wish->name); /* no AC Name has a dot */
		return make_empty(pod, own, NULL, err);
	}
	if (wish->volume->kind == POD_VOLUME_EMPTY)
		return make_empty(pod, wish->name, wish->volume, err);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return rkt_fail_errno(err, "open /");
	fd = path_open_beneath(root, wish->volume->source, O_PATH, 0);
	if (fd < 0 && errno == ELOOP)
		return rkt_fail(err, RKT_INVALID, "%s is, or leads through, a symbolic link",
			wish->volume->source);
	return fd < 0 ? rkt_fail_errno(err, "open %s", wish->volume->source) : fd;
}

static int add(int pod, const struct ready_app *app, const struct wish *wish,
	struct app_volumes *volumes, rkt_error **err)
{
	ERROR_SCOPE(err, "volume", wish->name);
	enum mount_depth depth =
		wish->volume && wish->volume->recursive ? MOUNT_RECURSIVE : MOUNT_ALONE;
	uint64_t flags = MOUNT_ATTR_NODEV | (wish->read_only ? MOUNT_ATTR_RDONLY : 0);
	auto_fd int source = -1, mnt = -1;
	struct stat st;

	if (check_target(volumes, wish->target, err) < 0)
		return -1;
	source = open_source(pod, app, wish, err);
	if (source < 0)
		return -1;
	mnt = mount_clone(source, "", depth, err);
	if (mnt < 0 || mount_set(mnt, flags, depth, err) < 0)
		return -1;
	if (fstat(mnt, &st) < 0)
		return rkt_fail_errno(err, "stat");
	volumes->list = xreallocarray(volumes->list, volumes->count + 1, sizeof *volumes->list);
	volumes->list[volumes->count++] = (struct app_volume){
		.name = wish->name,
		.target = wish->target,
		.mnt = pass_fd(mnt),
		.is_dir = S_ISDIR(st.st_mode),
	};
	return 0;
}

/* The image's mount point that MOUNT fills: its path is the same, or written as its name. */
static const struct app_mount_point *mount_point_of(
	const struct ready_app *app, const struct pod_mount *mount)
{
	for (size_t i = 0; i < app->app->mount_point_count; i++) {
		const struct app_mount_point *point = &app->app->mount_points[i];

		if (strcmp(point->path, mount->path) == 0 || strcmp(point->name, mount->path) == 0)
			return point;
	}
	return NULL;
}

static int open_mount(int pod, const struct app_list *list, const struct ready_app *app,
	const struct pod_mount *mount, struct app_volumes *ret, rkt_error **err)
{
	const struct app_mount_point *point = mount_point_of(app, mount);
	struct wish wish = {
		.name = mount->volume,
		.target = point ? point->path : mount->path,
		.volume = mount->app_volume ?: find_volume(list->pod, mount->volume),
	};

	if (!wish.volume)
		return rkt_fail(err, RKT_INVALID, "the pod has no volume %s", mount->volume);
	wish.read_only = wish.volume->read_only || (point && point->read_only);
	return add(pod, app, &wish, ret, err);
}

static bool is_filled(const struct ready_app *app, const struct app_mount_point *point)
{
	for (size_t i = 0; i < app->entry->mount_count; i++)
		if (mount_point_of(app, &app->entry->mounts[i]) == point)
			return true;
	return false;
}

int volumes_open(int pod, const struct app_list *list, const struct ready_app *app,
	struct app_volumes *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "app", app->name);

	for (size_t i = 0; i < app->entry->mount_count; i++)
		if (open_mount(pod, list, app, &app->entry->mounts[i], ret, err) < 0)
			return -1;
	for (size_t i = 0; i < app->app->mount_point_count; i++) {
		const struct app_mount_point *point = &app->app->mount_points[i];
		struct wish wish = { .name = point->name,
			.target = point->path,
			.volume = find_volume(list->pod, point->name) };

		if (is_filled(app, point))
			continue;
		wish.read_only = point->read_only || (wish.volume && wish.volume->read_only);
		if (add(pod, app, &wish, ret, err) < 0)
			return -1;
	}
	return 0;
}

/* Makes PATH an empty file in directories that are made as needed. */
static int make_file(int root, const char *path, rkt_error **err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent = xmemdup(path, (size_t)(slash - path));
	auto_fd int dir = path_make_dirs(root, parent);
	int fd;

	if (dir < 0)
		return rkt_fail_errno(err, "make %s", parent);
	fd = openat(dir, slash + 1, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? rkt_fail_errno(err, "make %s", path) : fd;
}

/* appc: "If the target path refers to a file, the ACE SHOULD remove that file and create a
 * directory in its place." The other way round there is nothing sensible to do. */
static int open_target(int root, const struct app_volume *volume, rkt_error **err)
{
	int fd = path_open_in_root(root, volume->target, O_PATH);
	struct stat st;

	if (fd < 0 && errno != ENOENT)
		return rkt_fail_errno(err, "open %s", volume->target);
	if (fd < 0 && !volume->is_dir)
		return make_file(root, volume->target, err);
	if (fd >= 0) {
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) == volume->is_dir)
			return fd;
		close(fd);
		if (!volume->is_dir)
			return rkt_fail(err, RKT_INVALID, "%s is a directory, the source is none",
				volume->target);
		if (unlink(volume->target) < 0)
			return rkt_fail_errno(err, "remove %s", volume->target);
	}
	fd = path_make_dirs(root, volume->target);
	return fd < 0 ? rkt_fail_errno(err, "make %s", volume->target) : fd;
}

static bool is_empty_dir(int target)
{
	auto_fd int fd = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return true;
	fd = -1; /* the stream has it now */
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return false;
	return true;
}

int volumes_attach(const struct app_volumes *volumes, const char *app, rkt_error **err)
{
	auto_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return rkt_fail_errno(err, "open /");
	for (size_t i = 0; i < volumes->count; i++) {
		const struct app_volume *volume = &volumes->list[i];
		ERROR_SCOPE(err, "volume", volume->name);
		auto_fd int target = open_target(root, volume, err);

		if (target < 0)
			return -1;
		if (volume->is_dir && !is_empty_dir(target))
			dprintf(STDERR_FILENO,
				"stage1: app %s: volume %s hides what the image has in %s\n", app,
				volume->name, volume->target);
		if (mount_attach(volume->mnt, target, err) < 0)
			return -1;
	}
	return 0;
}

void volumes_free(struct app_volumes *volumes)
{
	for (size_t i = 0; i < volumes->count; i++)
		close(volumes->list[i].mnt);
	free(volumes->list);
	*volumes = (struct app_volumes){ 0 };
}
