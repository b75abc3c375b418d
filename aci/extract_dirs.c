/* Directories wait, sorted in the end, deepest first. */
#include "aci/extract_dirs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"

/* ACLs of directories that wait for the end, all together: memory must not grow with what an
 * archive says (S-012). */
#define ACL_BYTES_MAX ((size_t)8 * 1024 * 1024)

struct later {
	char *path;
	struct extract_attrs attrs;
	bool on_the_way; /* not chosen itself: goes when there is nothing in it */
};

const char *extract_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void extract_dirs_free(struct extract_dirs *self)
{
	for (size_t i = 0; i < self->count; i++) {
		free(self->items[i].path);
		attrs_free(&self->items[i].attrs);
	}
	free(self->items);
}

int extract_dirs_note(struct extract_dirs *self, const struct image_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	struct extract_attrs attrs = { 0 };

	if (attrs_of(entry->tar, &attrs, report, err) < 0)
		return -1;
	self->acl_bytes += attrs.access.len + attrs.by_default.len;
	if (self->count == self->capacity) {
		self->capacity = self->capacity ? 2 * self->capacity : 64;
		self->items = xreallocarray(self->items, self->capacity, sizeof *self->items);
	}
	self->items[self->count++] = (struct later){
		.path = xstrdup(entry->path),
		.attrs = attrs,
		.on_the_way = !extract_chooses(options, entry->path),
	};
	if (self->acl_bytes > ACL_BYTES_MAX)
		return rkt_fail(err, RKT_INVALID,
			"the ACLs of the directories are more than %zu bytes", ACL_BYTES_MAX);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct later *)a)->path, ((const struct later *)b)->path);
}

/* A directory that turned out to lead nowhere. */
static bool remove_empty(int root, const char *path)
{
	auto_free char *parent = xmemdup(path, (size_t)(extract_base(path) - path));
	auto_fd int dir = path_open_beneath(root, parent, O_PATH | O_DIRECTORY, 0);

	return dir >= 0 && unlinkat(dir, extract_base(path), AT_REMOVEDIR) == 0;
}

static int finish_one(const struct later *later, int root, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	auto_fd int fd = -1;

	if (later->on_the_way && remove_empty(root, later->path))
		return 0;
	report->entries++;
	fd = path_open_beneath(root, later->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return rkt_fail_errno(err, "open the directory %s", later->path);
	return attrs_set_dir(fd, &later->attrs, options, report, err);
}

/* A rootfs without an entry is a missing parent like any other. */
static int finish_root(const struct extract_dirs *self, int root,
	const struct extract_options *options, rkt_error **err)
{
	if (self->count && !*self->items[0].path)
		return 0;
	if (options->owner == EXTRACT_OWNER_KEEP && fchown(root, 0, 0) < 0)
		return rkt_fail_errno(err, "chown");
	return fchmod(root, 0755) < 0 ? rkt_fail_errno(err, "chmod") : 0;
}

/* Deepest first, so that no directory is closed to us before what is below it is done. */
int extract_dirs_finish(struct extract_dirs *self, int root, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	if (self->count)
		qsort(self->items, self->count, sizeof *self->items, by_path);
	for (size_t i = self->count; i-- > 0;)
		if (finish_one(&self->items[i], root, options, report, err) < 0)
			return -1;
	return finish_root(self, root, options, err);
}

void extract_dirs_unlock(const struct extract_dirs *self, int root)
{
	for (size_t i = 0; i < self->count; i++) {
		const char *path = self->items[i].path;
		auto_free char *parent = xmemdup(path, (size_t)(extract_base(path) - path));
		auto_fd int dir = path_open_beneath(root, parent, O_PATH | O_DIRECTORY, 0);

		/* one that cannot be changed now cannot be removed either: tree_remove() says so */
		if (*path ? fchmodat(dir, extract_base(path), 0700, AT_SYMLINK_NOFOLLOW)
			  : fchmod(root, 0700))
			continue;
	}
}
