/* What begins every manifest: acKind and acVersion (appc types.md). */
#pragma once

#include "aci/schema.h"

/* The latest text we know. */
#define AC_VERSION_LATEST "0.8.11"

/* Reads a semantic version (semver.org 2.0.0) into *RET as SCHEMA_VERSION(); what is behind '-' or
 * '+' must have the right form and has no part in it. On false *RET_WHY says why, as a constant
 * string. */
bool ac_version_parse(const char *text, unsigned *ret, const char **ret_why);

/* Checks that acKind is one of KINDS (ended by NULL) and that acVersion is one we know, and tells
 * SCHEMA the version. RET_KIND (may be NULL) gets the entry of KINDS, or NULL. Returns acVersion.
 */
const char *manifest_head_read(struct schema *schema, const struct spot *at,
	const char *const kinds[], const char **ret_kind);

/* The image ID at AT: "sha256-" with 64 digits, "sha512-" with 128 or the first 64, as rkt wrote
 * them; NULL when there is none. */
const char *manifest_image_id_read(struct schema *schema, const struct spot *at);
