/*
 * Making an image: a manifest and a directory become a valid, reproducible ACI.
 *
 * The same content gives the same bytes: names sorted bytewise, owners by number, the manifest first,
 * no device or inode numbers, times clamped to SOURCE_DATE_EPOCH, no gzip name or time.
 */
#pragma once

#include "aci/unpack.h"
#include "aci/manifest.h"

struct build_options {
	enum compression compression; /* NONE, GZIP, XZ or ZSTD */
	/* Times later than this become this; INT64_MAX: keep all. */
	int64_t mtime_max_sec;
	/* Everything is owned by 0:0 instead of what the directory says. */
	bool root_owned;
};

/* Writes an image of MANIFEST (checked first: RKT_INVALID) and the tree below ROOTFS (a directory
 * descriptor) to OUT, which is at its start. The caller makes the file appear (fd_link). */
int build_image(struct slice manifest, int rootfs, int out, const struct build_options *options,
	rkt_error **err);
