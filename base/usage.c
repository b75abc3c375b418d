/* Adding up blocks: down by names, up by "..", so that depth costs memory and no descriptors. */
#include "base/usage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/names.h"
#include "base/scope.h"

#define BLOCK 512 /* what st_blocks counts (stat(3type)) */

struct level {
	struct names names;
	size_t next;
	ino_t inode;
};

struct walk {
	int dir; /* where we are */
	dev_t device;
	struct level *levels; /* from the top to here */
	size_t depth, capacity;
	uint64_t bytes;
};

static uint64_t bytes_of(const struct stat *st)
{
	uint64_t bytes = (uint64_t)st->st_blocks * BLOCK;

	return S_ISDIR(st->st_mode) || !st->st_nlink ? bytes : bytes / st->st_nlink;
}

/* Whether CODE means that something is not for us to see, or not there any more. */
static bool passes(int code)
{
	return code == ENOENT || code == EACCES || code == ENOTDIR || code == ELOOP;
}

/* Opens the directory NAME below FROM and goes there: 1, 0 when that cannot be, or -1. */
static int go_down(struct walk *self, int from, const char *name, rkt_error **err)
{
	auto_fd int fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct level *level;
	struct stat st;
	int list;

	if (fd < 0)
		return passes(errno) ? 0 : rkt_fail_errno(err, "open %s", name);
	list = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (list < 0 || fstat(fd, &st) < 0) {
		rkt_fail_errno(err, "open %s", name);
		scope_close(&list);
		return -1;
	}
	if (self->depth == self->capacity) {
		self->capacity = self->capacity ? 2 * self->capacity : 16;
		self->levels = xreallocarray(self->levels, self->capacity, sizeof *self->levels);
	}
	level = &self->levels[self->depth++];
	*level = (struct level){ .inode = st.st_ino };
	if (names_of_dir(list, &level->names, err) < 0)
		return -1;
	scope_close(&self->dir);
	self->dir = pass_fd(fd);
	return 1;
}

/* To the directory above: 1, or 0 when it is not the one we came from: somebody moved this one. */
static int go_up(struct walk *self, rkt_error **err)
{
	auto_fd int fd = -1;
	struct stat st;

	names_free(&self->levels[--self->depth].names);
	if (!self->depth)
		return 1;
	fd = openat(self->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return passes(errno) ? 0 : rkt_fail_errno(err, "open a directory");
	if (st.st_dev != self->device || st.st_ino != self->levels[self->depth - 1].inode)
		return 0;
	scope_close(&self->dir);
	self->dir = pass_fd(fd);
	return 1;
}

/* Adds the next entry of where we are: 1, 0 at the end of it all, or -1. */
static int step(struct walk *self, rkt_error **err)
{
	struct level *level = &self->levels[self->depth - 1];
	const char *name;
	struct stat st;

	if (level->next == level->names.count)
		return go_up(self, err);
	name = level->names.items[level->next++];
	if (fstatat(self->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return passes(errno) ? 1 : rkt_fail_errno(err, "stat %s", name);
	if (st.st_dev != self->device)
		return 1;
	self->bytes += bytes_of(&st);
	if (!S_ISDIR(st.st_mode))
		return 1;
	return go_down(self, self->dir, name, err) < 0 ? -1 : 1;
}

int usage_add(int dir, const char *name, uint64_t *bytes, rkt_error **err)
{
	struct walk self = { .dir = -1 };
	struct stat st;
	int got = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return passes(errno) ? 0 : rkt_fail_errno(err, "stat %s", name);
	self.bytes = bytes_of(&st);
	self.device = st.st_dev;
	if (S_ISDIR(st.st_mode))
		got = go_down(&self, dir, name, err);
	while (got > 0 && self.depth)
		got = step(&self, err);
	while (self.depth)
		names_free(&self.levels[--self.depth].names);
	free(self.levels);
	scope_close(&self.dir);
	if (got >= 0)
		*bytes += self.bytes;
	return got < 0 ? -1 : 0;
}
