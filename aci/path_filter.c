/* Looking a path up in sorted whitelists. */
#include "aci/path_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void path_filter_init(struct path_filter *self, const char *const *whitelist, size_t count,
	const struct path_filter *above)
{
	*self = (struct path_filter){ .count = count, .above = above };
	if (!count)
		return;
	self->paths = xcalloc(count, sizeof *self->paths);
	for (size_t i = 0; i < count; i++) {
		const char *path = whitelist[i] + strspn(whitelist[i], "/");
		size_t len = strlen(path);

		while (len && path[len - 1] == '/')
			len--;
		self->paths[i] = xmemdup(path, len);
	}
	qsort(self->paths, count, sizeof *self->paths, by_bytes);
}

void path_filter_free(struct path_filter *self)
{
	for (size_t i = 0; i < self->count; i++)
		free(self->paths[i]);
	free(self->paths);
	*self = (struct path_filter){ 0 };
}

/* How PATH, and with SLASH something behind a slash at its end, compares with LISTED: 0 when LISTED
 * is it (or begins so). */
enum ending { ENDS_HERE, GOES_ON };
static int compare(const char *path, size_t len, enum ending ending, const char *listed)
{
	int order = strncmp(path, listed, len);

	if (order)
		return order;
	if (ending == ENDS_HERE)
		return listed[len] ? -1 : 0;
	return '/' - (unsigned char)listed[len];
}

static bool has(const struct path_filter *self, const char *path, enum ending ending)
{
	size_t low = 0, high = self->count, len = strlen(path);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(path, len, ending, self->paths[middle]);

		if (!order)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool path_filter_keeps(const struct path_filter *self, const char *path, enum path_kind kind)
{
	if (!*path)
		return true;
	for (; self; self = self->above) {
		if (!self->count || has(self, path, ENDS_HERE))
			continue;
		if (kind != PATH_KIND_DIR || !has(self, path, GOES_ON))
			return false;
	}
	return true;
}
