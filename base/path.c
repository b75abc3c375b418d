/* Opening paths without ever leaving a directory. */
#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/buf.h"

enum follow { FOLLOW_NEVER, FOLLOW_IN_ROOT };

/* Renames anywhere on the system, at the moment the kernel goes up by "..", are EAGAIN: it cannot
 * tell then whether that led out (openat2(2)). */
#define AGAIN_MAX 16

/* As many as the kernel allows (path_resolution(7)). */
#define SYMLINKS_MAX 40

static int open_by_kernel(int root, const char *path, int flags, mode_t mode, enum follow follow)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};

	if (follow == FOLLOW_IN_ROOT)
		how.resolve |= RESOLVE_IN_ROOT;
	else
		how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
}

/* The walk by hand: the directories from ROOT down to where we are, so that ".." needs no lookup
 * that somebody could redirect by moving a directory. */
struct walk {
	int *dirs; /* dirs[0] is a duplicate of ROOT */
	size_t depth;
	struct buf rest; /* what is still to be resolved, NUL-terminated */
	int links;
};

static void walk_free(struct walk *walk)
{
	int keep = errno;

	for (size_t i = 0; i < walk->depth; i++)
		close(walk->dirs[i]);
	free(walk->dirs);
	buf_free(&walk->rest);
	errno = keep;
}

static int walk_push(struct walk *walk, int fd)
{
	if (fd < 0)
		return -1;
	walk->dirs = xreallocarray(walk->dirs, walk->depth + 1, sizeof *walk->dirs);
	walk->dirs[walk->depth++] = fd;
	return 0;
}

static void walk_pop_to(struct walk *walk, size_t depth)
{
	while (walk->depth > depth)
		close(walk->dirs[--walk->depth]);
}

static int walk_top(const struct walk *walk)
{
	return walk->dirs[walk->depth - 1];
}

/* Puts the target of the symlink NAME in front of what is left to resolve. */
static int walk_symlink(struct walk *walk, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(walk_top(walk), name, target, sizeof target - 1);
	struct buf rest = { 0 };

	if (len < 0)
		return -1;
	if (++walk->links > SYMLINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	target[len] = '\0';
	if (target[0] == '/')
		walk_pop_to(walk, 1);
	buf_printf(&rest, "%s/%s", target, buf_text(&walk->rest));
	buf_free(&walk->rest);
	walk->rest = rest;
	return 0;
}

/* Takes the next component off the rest; false when there is none. */
static bool walk_next(struct walk *walk, char name[static NAME_MAX + 1], bool *ret_last)
{
	const char *text = buf_text(&walk->rest);
	size_t skip = strspn(text, "/");
	size_t len = strcspn(text + skip, "/");
	size_t gap = strspn(text + skip + len, "/");

	if (!len)
		return false;
	if (len > NAME_MAX)
		len = NAME_MAX; /* cannot exist: the lookup will say ENOENT or ENAMETOOLONG */
	memcpy(name, text + skip, len);
	name[len] = '\0';
	*ret_last = !text[skip + len + gap];
	memmove(walk->rest.data, text + skip + len, strlen(text + skip + len) + 1);
	walk->rest.len = strlen((char *)walk->rest.data);
	return true;
}

static bool is_symlink(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

static int open_by_walk(int root, const char *path, int flags, mode_t mode, enum follow follow)
{
	__attribute__((cleanup(walk_free))) struct walk walk = { 0 };
	char name[NAME_MAX + 1];
	bool last = false;

	if (strlen(path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (walk_push(&walk, openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	buf_append_text(&walk.rest, path);
	while (walk_next(&walk, name, &last)) {
		bool wants_link = last && (flags & O_NOFOLLOW);

		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			if (follow == FOLLOW_NEVER) {
				errno = EXDEV;
				return -1;
			}
			walk_pop_to(&walk, walk.depth > 1 ? walk.depth - 1 : 1);
			continue;
		}
		if (is_symlink(walk_top(&walk), name) && !wants_link) {
			if (follow == FOLLOW_NEVER) {
				errno = ELOOP;
				return -1;
			}
			if (walk_symlink(&walk, name) < 0)
				return -1;
			continue;
		}
		if (last)
			return openat(walk_top(&walk), name, flags | O_NOFOLLOW, mode);
		if (walk_push(&walk, openat(walk_top(&walk), name,
					     O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
			return -1;
	}
	return openat(walk_top(&walk), ".", flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW));
}

static int open_resolved(int root, const char *path, int flags, mode_t mode, enum follow follow)
{
	int fd = -1;

	path += strspn(path, "/");
	flags |= O_CLOEXEC;
	for (int tries = 0; tries < AGAIN_MAX; tries++) {
		fd = open_by_kernel(root, path, flags, mode, follow);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN))
		fd = open_by_walk(root, path, flags, mode, follow);
	return fd;
}

int path_open_beneath(int root, const char *path, int flags, mode_t mode)
{
	return open_resolved(root, path, flags | O_NOFOLLOW, mode, FOLLOW_NEVER);
}

int path_open_in_root(int root, const char *path, int flags)
{
	return open_resolved(root, path, flags, 0, FOLLOW_IN_ROOT);
}

int path_make_dirs(int root, const char *path)
{
	auto_free char *copy = xstrdup(path);
	auto_fd int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = NULL;

	if (dir < 0)
		return -1;
	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		int next;

		if (strcmp(name, "..") == 0) {
			errno = EXDEV;
			return -1;
		}
		if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
			return -1;
		next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		close(dir);
		dir = next;
	}
	return openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
