/* Removing directory trees by descriptor. */
#include "base/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

/* Opens a directory to empty it. An ordinary user's own may forbid him even that (0555, 0000). */
static DIR *open_dir(int dir, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_fd int fd = openat(dir, name, flags);
	DIR *stream;

	if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(dir, name, flags);
	if (fd < 0)
		return NULL;
	if (geteuid() != 0)
		(void)fchmod(fd, 0700); /* somebody else's: the unlink will tell */
	stream = fdopendir(fd);
	if (stream)
		fd = -1; /* the stream owns it */
	return stream;
}

/* Removes the plain files of the directory STREAM, read from its beginning; *RET_CHILD gets the
 * name of a subdirectory, or NULL. */
static int remove_files(DIR *stream, dev_t dev, char **ret_child, rkt_error **err)
{
	int dir = dirfd(stream);
	struct dirent *entry;

	*ret_child = NULL;
	rewinddir(stream);
	while ((errno = 0, entry = readdir(stream))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dir, entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return rkt_fail_errno(err, "remove %s", entry->d_name);
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return rkt_fail_errno(err, "stat %s", entry->d_name);
		if (!S_ISDIR(st.st_mode)) {
			errno = EPERM;
			return rkt_fail_errno(err, "remove %s", entry->d_name);
		}
		if (st.st_dev != dev) {
			errno = EXDEV;
			return rkt_fail_errno(err, "%s is a mount point", entry->d_name);
		}
		if (unlinkat(dir, entry->d_name, AT_REMOVEDIR) == 0)
			continue;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return rkt_fail_errno(err, "remove %s", entry->d_name);
		*ret_child = xstrdup(entry->d_name);
		return 0;
	}
	return errno ? rkt_fail_errno(err, "read directory") : 0;
}

/*
 * Depth without recursion and without a descriptor a level: a subdirectory that is not empty is
 * moved up beside its ancestor, so the tree only ever gets flatter. Names are ours and cannot
 * collide with what is still there because a clash (EEXIST, ENOTEMPTY, ENOTDIR) takes the next
 * number; an empty directory that is replaced was to go as well. RENAME_NOREPLACE would say no
 * more, and not every file system knows it.
 */
static int lift(int from, const char *name, int to, unsigned *counter, rkt_error **err)
{
	for (;;) {
		char lifted[40];

		snprintf(lifted, sizeof lifted, ".removing-%u", (*counter)++);
		if (renameat(from, name, to, lifted) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return rkt_fail_errno(err, "move %s", name);
	}
}

/* Empties the subdirectory CHILD of TOP. */
static int empty_child(DIR *top, const char *child, dev_t dev, unsigned *counter, rkt_error **err)
{
	auto_dir DIR *below = open_dir(dirfd(top), child);

	if (!below)
		return rkt_fail_errno(err, "open %s", child);
	for (;;) {
		auto_free char *deeper = NULL;

		if (remove_files(below, dev, &deeper, err) < 0)
			return -1;
		if (!deeper)
			return 0;
		if (lift(dirfd(below), deeper, dirfd(top), counter, err) < 0)
			return -1;
	}
}

static int empty(DIR *top, rkt_error **err)
{
	unsigned counter = 0;
	struct stat st;

	if (fstat(dirfd(top), &st) < 0)
		return rkt_fail_errno(err, "stat");
	for (;;) {
		auto_free char *child = NULL;

		if (remove_files(top, st.st_dev, &child, err) < 0)
			return -1;
		if (!child)
			return 0;
		if (empty_child(top, child, st.st_dev, &counter, err) < 0)
			return -1;
		if (unlinkat(dirfd(top), child, AT_REMOVEDIR) < 0)
			return rkt_fail_errno(err, "remove %s", child);
	}
}

int tree_remove(int dir, const char *name, rkt_error **err)
{
	auto_dir DIR *top = NULL;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return rkt_fail_errno(err, "remove %s", name);
	/* an empty one needs no descriptor, which who undoes something may not get */
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	top = open_dir(dir, name);
	if (!top)
		return rkt_fail_errno(err, "open %s", name);
	if (empty(top, err) < 0)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return rkt_fail_errno(err, "remove %s", name);
	return 0;
}
