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
	size_t number; /* as it was noted */
	enum {
		LATER_ENTRY,
		LATER_ON_THE_WAY, /* not chosen itself: goes when there is nothing in it */
		LATER_INVENTED,
		LATER_REMOVED,
	} what;
	bool is_void; /* something later speaks of the same directory, or it was removed */
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

static struct later *add(struct extract_dirs *self, const char *path)
{
	if (self->count == self->capacity) {
		self->capacity = self->capacity ? 2 * self->capacity : 64;
		self->items = xreallocarray(self->items, self->capacity, sizeof *self->items);
	}
	self->items[self->count] = (struct later){ .path = xstrdup(path), .number = self->count };
	return &self->items[self->count++];
}

int extract_dirs_note(struct extract_dirs *self, const struct image_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	struct extract_attrs attrs = { 0 };
	struct later *later;

	if (attrs_of(entry->tar, &attrs, report, err) < 0)
		return -1;
	self->acl_bytes += attrs.access.len + attrs.by_default.len;
	later = add(self, entry->path);
	later->attrs = attrs;
	later->what = extract_chooses(options, entry->path) ? LATER_ENTRY : LATER_ON_THE_WAY;
	if (self->acl_bytes > ACL_BYTES_MAX)
		return rkt_fail(err, RKT_INVALID,
			"the ACLs of the directories are more than %zu bytes", ACL_BYTES_MAX);
	return 0;
}

void extract_dirs_invent(struct extract_dirs *self, const char *path)
{
	struct later *later = add(self, path);

	later->what = LATER_INVENTED;
	later->attrs.mode = 0755;
}

void extract_dirs_removed(struct extract_dirs *self, const char *path)
{
	add(self, path)->what = LATER_REMOVED;
}

/* What is below a directory comes right after it: a slash counts as less than any byte. */
static int by_path(const void *a, const void *b)
{
	const struct later *left = a, *right = b;
	const unsigned char *l = (const unsigned char *)left->path,
			    *r = (const unsigned char *)right->path;

	while (*l && *l == *r) {
		l++;
		r++;
	}
	if (*l != *r)
		return (*l == '/' ? 1 : *l ? *l + 1 : 0) - (*r == '/' ? 1 : *r ? *r + 1 : 0);
	return (left->number > right->number) - (left->number < right->number);
}

static bool is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return !len || (strncmp(path, above, len) == 0 && (path[len] == '/' || !path[len]));
}

/* Finds what is void, in the sorted list. Removals above the present path stand in a stack,
 * each with the number of the last removal up to there. */
static void find_void(struct extract_dirs *self)
{
	struct last {
		const char *path;
		size_t number;
	} *stack = xcalloc(self->count + 1, sizeof *stack);
	size_t depth = 0;

	for (size_t i = 0; i < self->count; i++) {
		struct later *later = &self->items[i];
		const struct later *next = i + 1 < self->count ? later + 1 : NULL;

		while (depth && !is_below(later->path, stack[depth - 1].path))
			depth--;
		later->is_void = later->what == LATER_REMOVED ||
				 (next && strcmp(next->path, later->path) == 0) ||
				 (depth && stack[depth - 1].number > later->number);
		if (later->what != LATER_REMOVED)
			continue;
		stack[depth] = (struct last){ later->path, later->number };
		if (depth && stack[depth - 1].number > later->number)
			stack[depth].number = stack[depth - 1].number;
		depth++;
	}
	free(stack);
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
	struct extract_report unheard = { 0 }; /* nobody asked for it: nothing is lost */
	auto_fd int fd = -1;

	if (later->is_void)
		return 0;
	if (later->what == LATER_ON_THE_WAY && remove_empty(root, later->path))
		return 0;
	if (later->what == LATER_INVENTED)
		report = &unheard;
	report->entries++;
	fd = path_open_beneath(root, later->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return rkt_fail_errno(err, "open the directory %s", later->path);
	return attrs_set_dir(fd, &later->attrs, options, report, err);
}

/* Deepest first, so that no directory is closed to us before what is below it is done. */
int extract_dirs_finish(struct extract_dirs *self, int root, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	if (self->count)
		qsort(self->items, self->count, sizeof *self->items, by_path);
	find_void(self);
	for (size_t i = self->count; i-- > 0;)
		if (finish_one(&self->items[i], root, options, report, err) < 0)
			return -1;
	return 0;
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
