/* Patterns of glob(7) that choose paths. */
#include "aci/globs.h"

#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/scope.h"

static bool matches(const char *pattern, const char *path, const char *name)
{
	size_t front = strncmp(pattern, "./", 2) == 0 ? 2 : *pattern == '/';
	size_t len = strlen(pattern);
	auto_free char *cut = NULL;

	if (len > front + 1 && pattern[len - 1] == '/')
		pattern = cut = xmemdup(pattern, len - 1);
	pattern += front;
	return fnmatch(pattern, path, 0) == 0 || (!front && fnmatch(pattern, name, 0) == 0);
}

bool globs_match(const char *const *patterns, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (const char *const *p = patterns; p && *p; p++)
		if (matches(*p, path, name))
			return true;
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
