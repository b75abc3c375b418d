/* Which extended attributes belong to a file, and which to the host it lies on. */
#pragma once

#include <stdbool.h>

/* What Linux can hand out (linux/limits.h): longer names are listed but cannot be read, longer
 * lists of names not at all. */
#define XATTR_NAME_LEN_MAX  255u
#define XATTR_LIST_LEN_MAX  65536u
#define XATTR_VALUE_LEN_MAX 65535u

/* Whether NAME ("user.note", "security.capability") may go from a file into an image and back. The
 * labels and measurements of the host's security modules may not, nor what would change the meaning
 * of overlay mounts (S-011); system.* is not stored as an attribute but is the kernel's view of
 * something else (ACLs). */
bool xattr_is_portable(const char *name);
