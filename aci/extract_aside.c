/* A sorted list of paths, and files that are named by their place in it. */
#include "aci/extract_aside.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"

bool extract_aside_keeps(const struct path_filter *filter, const struct image_entry *entry)
{
	return path_filter_keeps(
		filter, entry->path, entry->tar->type == TAR_DIR ? PATH_KIND_DIR : PATH_KIND_OTHER);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_once_each(struct extract_aside *self)
{
	size_t kept = 0;

	if (self->count)
		qsort(self->paths, self->count, sizeof *self->paths, by_bytes);
	for (size_t i = 0; i < self->count; i++) {
		if (kept && strcmp(self->paths[kept - 1], self->paths[i]) == 0)
			free(self->paths[i]);
		else
			self->paths[kept++] = self->paths[i];
	}
	self->count = kept;
}

int extract_aside_find(struct extract_aside *self, image_reader *image,
	const struct path_filter *filter, rkt_error **err)
{
	auto_image image_reader *own = image;
	const struct image_entry *entry;
	int got;

	while ((got = image_next(own, &entry, err)) > 0) {
		if (!entry->hard_link || !extract_aside_keeps(filter, entry) ||
			path_filter_keeps(filter, entry->hard_link, PATH_KIND_OTHER))
			continue;
		if (self->count == self->capacity) {
			self->capacity = self->capacity ? 2 * self->capacity : 16;
			self->paths =
				xreallocarray(self->paths, self->capacity, sizeof *self->paths);
		}
		self->paths[self->count++] = xstrdup(entry->hard_link);
	}
	sort_once_each(self);
	return got;
}

static void name_of(size_t number, char name[static EXTRACT_ASIDE_NAME_SIZE])
{
	snprintf(name, EXTRACT_ASIDE_NAME_SIZE, "%zu", number);
}

bool extract_aside_has(const struct extract_aside *self, const char *path,
	char name[static EXTRACT_ASIDE_NAME_SIZE])
{
	char *const *found = NULL;

	if (self->count)
		found = bsearch(&path, self->paths, self->count, sizeof *self->paths, by_bytes);
	if (found)
		name_of((size_t)(found - self->paths), name);
	return found;
}

int extract_aside_clear(struct extract_aside *self, rkt_error **err)
{
	char name[EXTRACT_ASIDE_NAME_SIZE];

	for (size_t i = 0; i < self->count; i++) {
		name_of(i, name);
		if (unlinkat(self->dir, name, 0) < 0 && errno != ENOENT)
			return rkt_fail_errno(err, "remove what was put aside");
	}
	extract_aside_free(self);
	return 0;
}

void extract_aside_free(struct extract_aside *self)
{
	for (size_t i = 0; i < self->count; i++)
		free(self->paths[i]);
	free(self->paths);
	self->paths = NULL;
	self->count = self->capacity = 0;
}
