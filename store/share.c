/* Who may enter the folders of a shared store. */
#include "store/share.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"

#define SHARD_COUNT 256

#define MAY_LOOK  02750
#define MAY_WRITE 02770
#define MAY_NOT   0700

struct share {
	const struct layout *layout;
	bool open; /* else it is being closed */
	gid_t group;
};

/* MODE is what an opened folder gets. */
static int set_folder(
	const struct share *self, int fd, const char *name, mode_t mode, rkt_error **err)
{
	if (self->open && fchown(fd, (uid_t)-1, self->group) < 0)
		return rkt_fail_errno(err, "give %s to group %u", name, self->group);
	if (fchmod(fd, self->open ? mode : MAY_NOT) < 0)
		return rkt_fail_errno(err, "chmod %s", name);
	return 0;
}

static int set_shard(const struct share *self, int shelf, unsigned number, rkt_error **err)
{
	auto_fd int shard = -1;
	char name[3];

	snprintf(name, sizeof name, "%02x", number & 0xffu);
	shard = fd_make_dir(shelf, name, MAY_NOT, NULL, err);
	return shard < 0 ? -1 : set_folder(self, shard, name, MAY_WRITE, err);
}

/* SHELF is the sha256 in a folder of cas; that folder gets the same mode. */
static int set_shelf(const struct share *self, int shelf, const char *name, rkt_error **err)
{
	auto_fd int above = -1;

	for (unsigned i = 0; i < SHARD_COUNT; i++)
		if (set_shard(self, shelf, i, err) < 0)
			return -1;
	if (fsync(shelf) < 0)
		return rkt_fail_errno(err, "fsync cas/%s/sha256", name);
	above = openat(shelf, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above < 0)
		return rkt_fail_errno(err, "open cas/%s", name);
	return set_folder(self, shelf, name, MAY_LOOK, err) < 0
		       ? -1
		       : set_folder(self, above, name, MAY_LOOK, err);
}

static int set_index_file(const struct share *self, const char *name, rkt_error **err)
{
	/* not to be read or written: closing it would then take LMDB's locks on it away */
	auto_fd int fd = openat(self->layout->index, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[32];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "open cas/index/%s", name);
	/* members may write to the folder */
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return rkt_fail(err, RKT_INVALID,
			"cas/index/%s is no regular file, or one that has other names: remove it",
			name);
	if (self->open && fchownat(fd, "", (uid_t)-1, self->group, AT_EMPTY_PATH) < 0)
		return rkt_fail_errno(err, "give cas/index/%s to group %u", name, self->group);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (chmod(path, self->open ? 0660 : 0600) < 0)
		return rkt_fail_errno(err, "chmod cas/index/%s", name);
	return 0;
}

/* Those of the index and the import lock; what is missing is made. */
static int set_index_files(const struct share *self, rkt_error **err)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "import.lock" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_fd int fresh = openat(self->layout->index, names[i],
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fresh < 0 && errno != EEXIST)
			return rkt_fail_errno(err, "make cas/index/%s", names[i]);
		if (set_index_file(self, names[i], err) < 0)
			return -1;
	}
	return 0;
}

static int set_insides(const struct share *self, rkt_error **err)
{
	const struct layout *layout = self->layout;
	auto_fd int cas = fd_open_dir(layout->top, "cas", err);

	if (cas < 0 || set_index_files(self, err) < 0 ||
		set_folder(self, layout->index, "cas/index", MAY_WRITE, err) < 0 ||
		set_folder(self, layout->tmp, "cas/tmp", MAY_WRITE, err) < 0 ||
		set_folder(self, layout->partial, "cas/partial", MAY_WRITE, err) < 0 ||
		set_shelf(self, layout->blob, "blob", err) < 0 ||
		set_shelf(self, layout->erofs, "erofs", err) < 0)
		return -1;
	return set_folder(self, cas, "cas", MAY_LOOK, err);
}

static int set_top(const struct share *self, rkt_error **err)
{
	if (set_folder(self, self->layout->top, self->layout->path, MAY_LOOK, err) < 0)
		return -1;
	return syncfs(self->layout->top) < 0 ? rkt_fail_errno(err, "sync %s", self->layout->path)
					     : 0;
}

int share_with(const struct layout *layout, gid_t group, rkt_error **err)
{
	const struct share self = { layout, true, group };

	return set_insides(&self, err) < 0 ? -1 : set_top(&self, err);
}

int share_end(const struct layout *layout, rkt_error **err)
{
	const struct share self = { layout, false, 0 };

	return set_top(&self, err) < 0 ? -1 : set_insides(&self, err);
}
