/*
 * Making an image: a manifest and a directory, or a tar, become a valid, reproducible ACI; or an
 * image gets another manifest.
 *
 * The same content gives the same bytes: names sorted bytewise, owners by number, the manifest
 * first, no device or inode numbers, times clamped to SOURCE_DATE_EPOCH, no gzip name or time. The
 * tar, and with it the image ID, does not depend on the version of any library (aci/tar_write.h);
 * the compressed file may.
 */
#pragma once

#include "aci/image.h"

struct build_options {
	enum compression compression; /* NONE, GZIP, XZ or ZSTD */
	/* Times later than this become this; INT64_MAX: keep all. */
	int64_t mtime_max_sec;
	/* Everything is owned by 0:0 instead of what the directory says. */
	bool root_owned;
	/* Patterns of glob(7), NULL-terminated; what matches, as a path below the rootfs or as a
	 * name, stays out with all below it. NULL: nothing does. */
	const char *const *excludes;
	/* Of what is read, and of the image when it is read back; NULL: the defaults. */
	const struct image_limits *limits;
};

/* Writes an image of MANIFEST (checked first: RKT_INVALID) and the tree below ROOTFS (a directory
 * descriptor) to OUT, open for reading and writing, empty and at its start. The image is then read
 * back as an import would read it: what is not a valid image is an error, and *RET_ID is what was
 * found. The caller makes the file appear (fd_link).
 *
 * Kept are modes, owners, times to the nanosecond, links, devices, FIFOs and extended attributes,
 * but for those of this host (xattr_is_portable()). Long spans of zeros are written as holes, be
 * they some on disk or not: holes.h. A socket is an error, RKT_INVALID. */
int build_image(struct slice manifest, int rootfs, int out, const struct build_options *options,
	rkt_image_id *ret_id, rkt_error **err);

/* The same of a tar of the root (uncompressed, its names relative to the root), which IN gives;
 * takes over IN. Headers are written anew, in the order in which they come: of the same files in
 * another order it makes another image. Sparse members stay sparse. The root's own entry, where
 * there is one, comes first; a second entry of one name is RKT_INVALID. */
int build_image_from_tar(struct slice manifest, source *in, int out,
	const struct build_options *options, rkt_image_id *ret_id, rkt_error **err);

/* Makes the new manifest, in RET, of the old one. */
struct build_patch {
	int (*edit)(void *context, struct slice old, struct buf *ret, rkt_error **err);
	void *context;
};

/* Copies the image IN (uncompressed; takes it over) with another manifest: all bytes of the tar but
 * those of this one member stay what they were. Of OPTIONS only the compression counts. */
int build_image_patched(source *in, const struct build_patch *patch, int out,
	const struct build_options *options, rkt_image_id *ret_id, rkt_error **err);
