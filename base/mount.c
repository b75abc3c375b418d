/* The mount calls by descriptor, with the kernel's own words in the errors. */
#include "base/mount.h"

#include <fcntl.h>
#include <sys/mount.h> /* not <linux/mount.h>: the two define the same things differently */

#include "base/buf.h"

/*
 * What the kernel has to say about the file system context FS: its messages, each read as one line
 * "e text" (error), "w text" or "i text", joined with "; " and followed by ": ". Nothing at all
 * where it has nothing to say. fsopen(2): "read() ... log messages".
 */
static const char *kernel_words(int fs, struct buf *words)
{
	char line[1024];
	ssize_t got;

	while ((got = read(fs, line, sizeof line)) > 2) {
		size_t len = (size_t)got - 2;

		while (len && line[len + 1] == '\n')
			len--;
		if (words->len)
			buf_append_text(words, "; ");
		buf_append(words, line + 2, len);
	}
	if (words->len)
		buf_append_text(words, ": ");
	return buf_text(words);
}

static int fail_with_words(int fs, const char *call, const char *object, rkt_error **err)
{
	auto_buf struct buf words = { 0 };
	int errnum = errno;
	const char *text = kernel_words(fs, &words);

	errno = errnum;
	return rkt_fail_errno(err, "%s%s%s", text, call, object);
}

static int set_option(int fs, const struct mount_option *option)
{
	if (option->value)
		return fsconfig(fs, FSCONFIG_SET_STRING, option->key, option->value, 0);
	if (option->fd >= 0)
		return fsconfig(fs, FSCONFIG_SET_FD, option->key, NULL, option->fd);
	return fsconfig(fs, FSCONFIG_SET_FLAG, option->key, NULL, 0);
}

int mount_new(
	const char *type, const struct mount_option *options, uint64_t attributes, rkt_error **err)
{
	ERROR_SCOPE(err, "mounting", type);
	auto_fd int fs = fsopen(type, FSOPEN_CLOEXEC);
	int mnt;

	if (fs < 0 && errno == ENODEV)
		return rkt_fail_errno(err, "the kernel does not have this file system");
	if (fs < 0)
		return rkt_fail_errno(err, "fsopen");
	for (const struct mount_option *option = options; option->key; option++)
		if (set_option(fs, option) < 0)
			return fail_with_words(fs, "fsconfig ", option->key, err);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_with_words(fs, "fsconfig create", "", err);
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attributes);
	return mnt < 0 ? fail_with_words(fs, "fsmount", "", err) : mnt;
}

/* The AT_* flags of PATH below a descriptor. A symlink as its last part is never followed. */
static unsigned at_flags(const char *path, enum mount_depth depth)
{
	unsigned flags = AT_SYMLINK_NOFOLLOW;

	if (!*path)
		flags |= AT_EMPTY_PATH;
	if (depth == MOUNT_RECURSIVE)
		flags |= AT_RECURSIVE;
	return flags;
}

int mount_clone(int dir, const char *path, enum mount_depth depth, rkt_error **err)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | at_flags(path, depth);
	int mnt = open_tree(dir, path, flags);

	return mnt < 0 ? rkt_fail_errno(err, "clone mount %s", path) : mnt;
}

int mount_set(int mnt, uint64_t attributes, enum mount_depth depth, rkt_error **err)
{
	struct mount_attr attr = { .attr_set = attributes };

	if (mount_setattr(mnt, "", at_flags("", depth), &attr, sizeof attr) < 0)
		return rkt_fail_errno(err, "mount_setattr");
	return 0;
}

int mount_attach(int mnt, int target, rkt_error **err)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return move_mount(mnt, "", target, "", flags) < 0 ? rkt_fail_errno(err, "move_mount") : 0;
}

int mount_make_private(rkt_error **err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return rkt_fail_errno(err, "make mounts private");
	return 0;
}
