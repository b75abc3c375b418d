/*
 * Which paths of an image a `pathWhitelist` leaves over (appc aci.md, Image Manifest Schema).
 *
 * The text: a "complete and absolute set" of the paths that exist after rendering. So a path is kept
 * when it is listed itself, and a directory also when something below it is listed: it is the way
 * there. What is below a listed directory is not kept by that (doc/spec-readings.md, "Rendering").
 * A slash at the end of a listed path makes no difference.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum path_kind { PATH_KIND_DIR, PATH_KIND_OTHER };

/* The whitelist of an image, and those of the images that it is a dependency of. */
struct path_filter {
	char **paths; /* owned; sorted, relative to the root, without a slash at the end */
	size_t count; /* 0: this one keeps everything */
	const struct path_filter *above; /* lent; what it drops is dropped too. NULL: none */
};

/* Makes SELF of the COUNT absolute, clean paths of WHITELIST (manifest.h; none: everything), which
 * are copied. */
void path_filter_init(struct path_filter *self, const char *const *whitelist, size_t count,
	const struct path_filter *above);
void path_filter_free(struct path_filter *self);

/* Whether SELF and all above it keep PATH (image_entry.path: "" is the root, which stays). */
bool path_filter_keeps(const struct path_filter *self, const char *path, enum path_kind kind);
