/* The last name of a path, and the open directory that it is in. */
#include "base/place.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/scope.h"

int place_find(struct place *place, const char *path, rkt_error **err)
{
	auto_free char *copy = xstrdup(path);
	size_t len = strlen(copy);
	char *slash, *name = copy;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		name = slash + 1;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return rkt_fail(
			err, RKT_USAGE, "'%s' does not say what to make: give a name", path);
	place->name = xstrdup(name);
	*name = '\0';
	place->dir = open(*copy ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->dir < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "%s: no such directory", copy);
	return place->dir < 0 ? rkt_fail_errno(err, "open %s", *copy ? copy : ".") : 0;
}

void place_free(struct place *place)
{
	scope_close(&place->dir);
	scope_free(&place->name);
}
