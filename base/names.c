/* Lists of names. */
#include "base/names.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/scope.h"

void names_add(struct names *names, char *name)
{
	if (names->count == names->capacity) {
		names->capacity = names->capacity ? 2 * names->capacity : 16;
		names->items = xreallocarray(names->items, names->capacity, sizeof *names->items);
	}
	names->items[names->count++] = name;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int names_of_dir(int fd, struct names *names, rkt_error **err)
{
	auto_dir DIR *stream = fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		rkt_fail_errno(err, "open directory");
		close(fd);
		return -1;
	}
	while ((errno = 0, entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			names_add(names, xstrdup(entry->d_name));
	if (errno)
		return rkt_fail_errno(err, "read directory");
	if (names->count)
		qsort(names->items, names->count, sizeof *names->items, by_bytes);
	return 0;
}
