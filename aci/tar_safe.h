/*
 * What a member may be called (S-001, S-012).
 *
 * One form for every name: relative, parts separated by one slash, no "." parts, no slash at the
 * end. Refused are absolute paths, ".." parts, NUL bytes, and what is longer or deeper than the
 * limits allow. Every other byte is kept as it is; messages show it escaped.
 */
#pragma once

#include "aci/tar.h"

#define TAR_PATH_MAX 4096u
#define TAR_PART_MAX 255u
#define TAR_LINK_MAX 4095u

/* Sets OUT to the normalised form of RAW, NUL-terminated (not counted). "" is the top itself
 * ("./"). RKT_INVALID, quoting RAW, when it breaks a rule above; empty names do, too. */
int tar_safe_path(
	struct slice raw, const struct tar_limits *limits, struct buf *out, rkt_error **err);

/* Sets OUT to RAW, the target of a symlink: 1 to 4095 bytes without NUL, otherwise free. */
int tar_safe_target(struct slice raw, struct buf *out, rkt_error **err);

/* Whether RAW is written as only a directory's name may be: with "/" or "/." at the end. */
bool tar_safe_names_dir(struct slice raw);
