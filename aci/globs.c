/* Patterns of glob(7) that choose paths. */
#include "aci/globs.h"

#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/scope.h"

bool globs_match(const char *const *patterns, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (const char *const *p = patterns; p && *p; p++) {
		bool whole = **p == '/';

		if (fnmatch(*p + whole, path, 0) == 0 || (!whole && fnmatch(*p, name, 0) == 0))
			return true;
	}
	return false;
}

bool globs_match_above(const char *const *patterns, const char *path)
{
	auto_free char *part = NULL;

	if (!patterns || !*patterns || !*path)
		return false;
	part = xstrdup(path);
	for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (globs_match(patterns, part))
			return true;
		*slash = '/';
	}
	return globs_match(patterns, part);
}
