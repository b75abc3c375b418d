/* pivot_root(2) into the app's tree, then the kernel's file systems with what must not be seen. */
#include "stage1/native/root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"
#include "stage1/native/devices.h"

#define ATTR_KERNEL_FS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* What the field's runtimes hide: it shows, or lets one touch, the host and not the pod. */
static const char *const masked[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
};

/* Settings of the whole machine: to be read only. */
static const char *const read_only[] = {
	"/proc/bus",
	"/proc/fs",
	"/proc/irq",
	"/proc/sys",
	"/proc/sysrq-trigger",
};

/* Makes the mount NEW_ROOT, attached somewhere, the root and lets go of the old one. Mounted over
 * itself ("." on "."), pivot_root needs no directory to put the old root on (pivot_root(2), Notes).
 */
static int pivot(int new_root, rkt_error **err)
{
	if (fchdir(new_root) < 0)
		return rkt_fail_errno(err, "chdir");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return rkt_fail_errno(err, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return rkt_fail_errno(err, "detach the old root");
	return chdir("/") < 0 ? rkt_fail_errno(err, "chdir /") : 0;
}

int root_enter(const char *app_dir, rkt_error **err)
{
	auto_free char *path = xasprintf("%s/rootfs", app_dir);
	ERROR_SCOPE(err, "entering", path);
	auto_fd int dir = path_open_beneath(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	auto_fd int mnt = -1;

	if (dir < 0)
		return rkt_fail_errno(err, "open");
	/* a mount of our own, whatever it was before: pivot_root insists on one */
	mnt = mount_clone(dir, "", MOUNT_RECURSIVE, err);
	if (mnt < 0 || mount_set(mnt, MOUNT_ATTR_NODEV, MOUNT_RECURSIVE, err) < 0)
		return -1;
	return mount_attach(mnt, dir, err) < 0 ? -1 : pivot(mnt, err);
}

int root_enter_empty(rkt_error **err)
{
	const struct mount_option options[] = { { "size", "4k", -1 }, { "mode", "0555", -1 },
		{ 0 } };
	auto_fd int mnt = mount_new("tmpfs", options, ATTR_KERNEL_FS | MOUNT_ATTR_RDONLY, err);
	auto_fd int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (mnt < 0)
		return -1;
	if (here < 0)
		return rkt_fail_errno(err, "open the pod directory");
	return mount_attach(mnt, here, err) < 0 ? -1 : pivot(mnt, err);
}

/* Mounts TYPE on PATH, which is made when it is missing. */
static int mount_on(const char *type, const char *path, uint64_t attributes, rkt_error **err)
{
	const struct mount_option none = { 0 };
	auto_fd int mnt = mount_new(type, &none, attributes, err);
	auto_fd int target = -1;

	if (mnt < 0)
		return -1;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return rkt_fail_errno(err, "make %s", path);
	target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return rkt_fail_errno(err, "open %s", path);
	return mount_attach(mnt, target, err);
}

/* Covers PATH: a directory with the empty one EMPTY is a mount of, a file with /dev/null. */
static int mask(const char *path, int empty, rkt_error **err)
{
	auto_fd int target = open(path, O_PATH | O_CLOEXEC);
	auto_fd int mnt = -1;
	struct stat st;

	if (target < 0)
		return errno == ENOENT ? 0 : rkt_fail_errno(err, "mask %s", path);
	if (fstat(target, &st) < 0)
		return rkt_fail_errno(err, "mask %s", path);
	mnt = S_ISDIR(st.st_mode) ? mount_clone(empty, "", MOUNT_ALONE, err)
				  : mount_clone(AT_FDCWD, "/dev/null", MOUNT_ALONE, err);
	return mnt < 0 ? -1 : mount_attach(mnt, target, err);
}

static int make_path_read_only(const char *path, rkt_error **err)
{
	auto_fd int target = open(path, O_PATH | O_CLOEXEC);
	auto_fd int mnt = -1;

	if (target < 0)
		return errno == ENOENT ? 0 : rkt_fail_errno(err, "open %s", path);
	mnt = mount_clone(target, "", MOUNT_ALONE, err);
	if (mnt < 0 || mount_set(mnt, MOUNT_ATTR_RDONLY, MOUNT_ALONE, err) < 0)
		return -1;
	return mount_attach(mnt, target, err);
}

static int restrict_kernel_fs(rkt_error **err)
{
	const struct mount_option options[] = { { "size", "4k", -1 }, { "mode", "0555", -1 },
		{ 0 } };
	auto_fd int empty = mount_new("tmpfs", options, ATTR_KERNEL_FS | MOUNT_ATTR_RDONLY, err);

	if (empty < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(read_only); i++)
		if (make_path_read_only(read_only[i], err) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(masked); i++)
		if (mask(masked[i], empty, err) < 0)
			return -1;
	return 0;
}

int root_furnish(rkt_error **err)
{
	if (mount_on("proc", "/proc", ATTR_KERNEL_FS, err) < 0)
		return -1;
	if (mount_on("sysfs", "/sys", ATTR_KERNEL_FS | MOUNT_ATTR_RDONLY, err) < 0)
		return -1;
	if (mkdir("/dev", 0755) < 0 && errno != EEXIST)
		return rkt_fail_errno(err, "make /dev");
	return devices_make(err) < 0 ? -1 : restrict_kernel_fs(err);
}

int root_make_read_only(rkt_error **err)
{
	auto_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return rkt_fail_errno(err, "open /");
	return mount_set(root, MOUNT_ATTR_RDONLY, MOUNT_ALONE, err);
}

int root_write_hosts(const char *hostname, rkt_error **err)
{
	auto_fd int fd =
		open("/etc/hosts", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	auto_buf struct buf text = { 0 };

	if (fd < 0) /* an image without /etc has no resolver that would read it */
		return errno == EEXIST || errno == ENOENT || errno == ENOTDIR || errno == EROFS
			       ? 0
			       : rkt_fail_errno(err, "create /etc/hosts");
	buf_printf(&text, "127.0.0.1\tlocalhost %s\n::1\tlocalhost\n", hostname);
	return fd_write_all(fd, text.data, text.len, err);
}
