/* Mounting an index over its tars, and finding out whether that works here. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/mount.h"
#include "store/index/erofs.h"
#include "store/index/index.h"

/* A descriptor as a path: fsconfig(2) takes strings of less than 256 bytes, and no name that
 * somebody could change meanwhile comes into it. */
#define FD_PATH_SIZE 32
struct fd_path {
	char text[FD_PATH_SIZE];
};

static void fd_path_set(struct fd_path *path, int fd)
{
	snprintf(path->text, sizeof path->text, "/proc/self/fd/%d", fd);
}

/* What the bare errno would not tell. */
static const char *hint(int errnum)
{
	switch (errnum) {
	case ENOTBLK:
		return "EROFS over files needs Linux 6.12 and an index on a disk file system";
	case EPERM:
		return "mounting EROFS needs root outside user namespaces";
	default:
		return NULL;
	}
}

static int mount_erofs(const struct mount_option *options, rkt_error **err)
{
	auto_error rkt_error *error = NULL;
	int mnt = mount_new("erofs", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, &error);
	const char *why;

	if (mnt >= 0)
		return mnt;
	why = hint(rkt_error_errno(error));
	if (why)
		rkt_fail_outer(&error, "%s", why);
	return rkt_fail_with(err, pass_ptr(error));
}

int index_mount(int index, const int *tars, size_t tar_count, rkt_error **err)
{
	auto_free struct fd_path *paths = xcalloc(tar_count + 1, sizeof *paths);
	auto_free struct mount_option *options = xcalloc(tar_count + 2, sizeof *options);

	fd_path_set(&paths[0], index);
	options[0] = (struct mount_option){ "source", paths[0].text, -1 };
	for (size_t i = 0; i < tar_count; i++) {
		fd_path_set(&paths[i + 1], tars[i]);
		options[i + 1] = (struct mount_option){ "device", paths[i + 1].text, -1 };
	}
	return mount_erofs(options, err);
}

/* The tar of the probe: one block that stands for a header, one of data. */
#define PROBE_NAME "probe"
struct probe {
	uint8_t header[EROFS_BLOCK], data[EROFS_BLOCK];
};

static int probe_write(int index, int tar, const struct probe *probe, rkt_error **err)
{
	auto_index index_builder *builder = index_new();
	const struct tar_entry file = {
		.path = PROBE_NAME,
		.path_len = strlen(PROBE_NAME),
		.type = TAR_FILE,
		.mode = 0400,
		.size = sizeof probe->data,
		.data_offset = offsetof(struct probe, data),
	};
	const struct image_entry entry = { .path = file.path, .tar = &file };

	if (fd_write_all(tar, probe, sizeof *probe, err) < 0 || index_add(builder, &entry, err) < 0)
		return -1;
	return index_write(builder, sizeof *probe, index, NULL, err);
}

static int probe_read(int mnt, const struct probe *probe, rkt_error **err)
{
	auto_fd int fd = openat(mnt, PROBE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t got[sizeof probe->data];
	ssize_t len;

	if (fd < 0)
		return rkt_fail_errno(err, "open");
	len = fd_read_full(fd, got, sizeof got, err);
	if (len < 0)
		return -1;
	if (len != sizeof got || memcmp(got, probe->data, sizeof got) != 0)
		return rkt_fail(err, RKT_FAILED, "the mount shows other bytes than the tar has");
	return 0;
}

int index_probe(int dir, rkt_error **err)
{
	ERROR_SCOPE(err, "trying an EROFS index", NULL);
	auto_fd int index = -1, tar = -1, mnt = -1;
	struct probe probe;

	memset(&probe, 0, sizeof probe);
	memset(probe.data, 'r', sizeof probe.data);
	index = fd_scratch(dir, err);
	if (index < 0)
		return -1;
	tar = fd_scratch(dir, err);
	if (tar < 0 || probe_write(index, tar, &probe, err) < 0)
		return -1;
	mnt = index_mount(index, &tar, 1, err);
	return mnt < 0 ? -1 : probe_read(mnt, &probe, err);
}
