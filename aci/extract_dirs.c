/* Directories wait in a file, and get what is theirs deepest first. */
#include "aci/extract_dirs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"

const char *extract_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void extract_dirs_free(struct extract_dirs *self)
{
	later_free(&self->later);
	rkt_error_free(self->failure);
}

int extract_dirs_note(struct extract_dirs *self, int root, const struct image_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	__attribute__((cleanup(later_dir_free))) struct later_dir dir = { 0 };

	if (attrs_of(entry->tar, &dir.attrs, report, err) < 0)
		return -1;
	buf_append_text(&dir.path, entry->path);
	dir.what = extract_chooses(options, entry->path) ? LATER_ENTRY : LATER_ON_THE_WAY;
	return later_add(&self->later, root, &dir, err);
}

void extract_dirs_invent(struct extract_dirs *self, int root, const char *path)
{
	__attribute__((cleanup(later_dir_free))) struct later_dir dir = { .what = LATER_INVENTED };

	dir.attrs.mode = 0755;
	buf_append_text(&dir.path, path);
	if (!self->failure)
		(void)later_add(&self->later, root, &dir, &self->failure);
}

void extract_dirs_layered(struct extract_dirs *self)
{
	self->layered = true;
}

/* A descriptor of the directory that PATH is in, or -1. */
static int open_parent(int root, const char *path)
{
	auto_free char *parent = xmemdup(path, (size_t)(extract_base(path) - path));

	return path_open_beneath(root, parent, O_PATH | O_DIRECTORY, 0);
}

/* A directory that turned out to lead nowhere. */
static bool remove_empty(int root, const char *path)
{
	auto_fd int dir = open_parent(root, path);

	return dir >= 0 && unlinkat(dir, extract_base(path), AT_REMOVEDIR) == 0;
}

/* Makes the directory PATH its owner's to enter. One that cannot be changed cannot be opened or
 * removed either, and who tries says so. */
static void unlock(int root, const char *path)
{
	auto_fd int dir = *path ? open_parent(root, path) : -1;

	if (*path ? fchmodat(dir, extract_base(path), 0700, AT_SYMLINK_NOFOLLOW)
		  : fchmod(root, 0700))
		return;
}

struct finishing {
	int root;
	bool layered;
	const struct extract_options *options;
	struct extract_report *report;
};

/* The directory PATH, which an earlier layer may have closed to us. */
static int open_to_finish(const struct finishing *f, const char *path)
{
	int fd = path_open_beneath(f->root, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0 || errno != EACCES || !f->layered)
		return fd;
	unlock(f->root, path);
	return path_open_beneath(f->root, path, O_RDONLY | O_DIRECTORY, 0);
}

/* Whether the directory was made on the way to what then was not chosen, and is gone. An invented
 * one may have had an entry later: then this is asked twice. With layers, what was invented may
 * long have given way to a directory that is empty for good. */
static bool leads_nowhere(const struct finishing *f, const struct later_dir *dir)
{
	const char *const *includes = f->options->includes;
	const char *path = (const char *)dir->path.data;

	if (!includes || !*includes || dir->what == LATER_ENTRY || !*path || f->layered)
		return false;
	return remove_empty(f->root, path) || errno == ENOENT;
}

static int finish_one(void *context, const struct later_dir *dir, rkt_error **err)
{
	const struct finishing *f = context;
	const char *path = (const char *)dir->path.data;
	struct extract_report unheard = { 0 }; /* nobody asked for it: nothing is lost */
	struct extract_report *report = dir->what == LATER_INVENTED ? &unheard : f->report;
	auto_fd int fd = -1;

	if (leads_nowhere(f, dir))
		return 0;
	fd = open_to_finish(f, path);
	/* a later layer has something else there: what becomes of that was noted, too */
	if (fd < 0 && f->layered && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return rkt_fail_errno(err, "open the directory %s", path);
	if (f->layered && attrs_shed_acls(fd, err) < 0)
		return -1;
	report->entries++;
	return attrs_set_dir(fd, &dir->attrs, f->options, report, err);
}

/* Deepest first, so that no directory is closed to us before what is below it is done. */
int extract_dirs_finish(struct extract_dirs *self, int root, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	struct finishing f = { root, self->layered, options, report };

	if (self->failure)
		return rkt_fail_with(err, pass_ptr(self->failure));
	return later_walk(&self->later, LATER_DEEPEST_FIRST, finish_one, &f, err);
}

static int unlock_one(void *context, const struct later_dir *dir, rkt_error **err)
{
	(void)err;
	unlock(*(const int *)context, (const char *)dir->path.data);
	return 0;
}

void extract_dirs_unlock(struct extract_dirs *self, int root)
{
	(void)later_walk(&self->later, LATER_TOP_FIRST, unlock_one, &root, NULL);
}
