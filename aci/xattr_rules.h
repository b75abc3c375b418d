/* Which extended attributes belong to a file, and which to the host it lies on. */
#pragma once

#include <stdbool.h>

/* Whether NAME ("user.note", "security.capability") may go from a file into an image and back. The
 * labels and measurements of the host's security modules may not, nor what would change the meaning
 * of overlay mounts (S-011); system.* is not stored as an attribute but is the kernel's view of
 * something else (ACLs). */
bool xattr_is_portable(const char *name);
