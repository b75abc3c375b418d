/* Devices made by number on a fresh tmpfs: nothing of the host's /dev is looked at. */
#include "stage1/native/devices.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/mount.h"

/* Devices and links together; apps that put files into /dev have /dev/shm. */
#define DEV_SIZE "64k"
#define SHM_SIZE "64m"

struct device {
	const char *name;
	mode_t mode;
	unsigned major, minor;
};

static const struct device devices[] = {
	{ "null", 0666, 1, 3 },
	{ "zero", 0666, 1, 5 },
	{ "full", 0666, 1, 7 },
	{ "random", 0666, 1, 8 },
	{ "urandom", 0666, 1, 9 },
	{ "tty", 0666, 5, 0 },
	{ "console", 0600, 1, 3 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "ptmx", "pts/ptmx" },
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

static int fill(int dev, rkt_error **err)
{
	for (const struct device *at = devices; at < devices + ARRAY_LEN(devices); at++)
		if (mknodat(dev, at->name, S_IFCHR | at->mode, makedev(at->major, at->minor)) < 0)
			return rkt_fail_errno(err, "make /dev/%s", at->name);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0)
			return rkt_fail_errno(err, "link /dev/%s", links[i].name);
	if (mkdirat(dev, "pts", 0755) < 0 || mkdirat(dev, "shm", 0755) < 0)
		return rkt_fail_errno(err, "make directories in /dev");
	return 0;
}

static int mount_in(int dev, const char *name, int mnt, rkt_error **err)
{
	auto_fd int target = openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (target < 0)
		return rkt_fail_errno(err, "open /dev/%s", name);
	return mount_attach(mnt, target, err);
}

static int mount_pts(int dev, rkt_error **err)
{
	const struct mount_option options[] = {
		{ "ptmxmode", "0666", -1 },
		{ "mode", "0620", -1 },
		{ "gid", "5", -1 }, /* the group `tty` everywhere */
		{ 0 },
	};
	auto_fd int mnt = mount_new(
		"devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME, err);

	return mnt < 0 ? -1 : mount_in(dev, "pts", mnt, err);
}

static int mount_shm(int dev, rkt_error **err)
{
	const struct mount_option options[] = {
		{ "size", SHM_SIZE, -1 },
		{ "mode", "1777", -1 },
		{ 0 },
	};
	auto_fd int mnt = mount_new(
		"tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);

	return mnt < 0 ? -1 : mount_in(dev, "shm", mnt, err);
}

int devices_make(rkt_error **err)
{
	ERROR_SCOPE(err, "making", "/dev");
	const struct mount_option options[] = {
		{ "size", DEV_SIZE, -1 },
		{ "mode", "0755", -1 },
		{ 0 },
	};
	auto_fd int mnt = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	auto_fd int target = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (mnt < 0)
		return -1;
	if (target < 0)
		return rkt_fail_errno(err, "open");
	if (fill(mnt, err) < 0 || mount_attach(mnt, target, err) < 0)
		return -1;
	return mount_pts(mnt, err) < 0 ? -1 : mount_shm(mnt, err);
}

int devices_set_console(int slave, rkt_error **err)
{
	ERROR_SCOPE(err, "setting up", "/dev/console");
	auto_fd int mnt = mount_clone(slave, "", MOUNT_ALONE, err);
	auto_fd int target = open("/dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (mnt < 0)
		return -1;
	if (target < 0)
		return rkt_fail_errno(err, "open");
	return mount_attach(mnt, target, err);
}
