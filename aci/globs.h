/* Patterns of glob(7) that choose paths below a root. */
#pragma once

#include <stdbool.h>

/* Whether one of PATTERNS (NULL-terminated; NULL: none) is PATH, or the last part of it: "*.o",
 * "usr/share/doc". A * matches slashes too. With a slash or "./" in front a pattern is PATH and not
 * just its last part; a slash behind it, as shells complete directories, means nothing. */
bool globs_match(const char *const *patterns, const char *path);
/* The same for PATH and all directories above it, but not for the root: what is below what matches
 * belongs to it. */
bool globs_match_above(const char *const *patterns, const char *path);
