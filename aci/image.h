/*
 * Reading a whole image: the tar walk with the rules of the image layout on top (appc aci.md, Image
 * Layout; S-007, S-008, S-012). The manifest is captured on the way, wherever in the archive it
 * stands, and parsed; what callers see are the entries of the root file system.
 */
#pragma once

#include "aci/check.h"
#include "aci/manifest.h"
#include "aci/tar.h"
#include "aci/unpack.h"
#include "rkt/image.h"

struct image_entry {
	/* Below rootfs: "" for the root itself, "usr/bin/env", ... Lent with TAR. */
	const char *path;
	/* Hard links: the target below rootfs, which came earlier and is a regular file. Else
	 * NULL. */
	const char *hard_link;
	const struct tar_entry *tar;
};

/* What one image may ask of whoever reads it (S-012). SECURITY.md says how they were chosen. */
struct image_limits {
	struct unpack_limits unpack; /* for who opens the stream: image_open() sees it unpacked */
	struct tar_limits tar;
	uint64_t manifest_max; /* 1 MiB */
};
struct image_limits image_limits_default(void);

struct image_options {
	const struct image_limits *limits; /* lent, for image_open() only; NULL: the defaults */
	check *check;                      /* NULL: stop at the first error */
};

typedef struct image_reader image_reader;

/* Takes over IN, a stream of the uncompressed tar. OPTIONS may be NULL. */
image_reader *image_open(source *in, const struct image_options *options);
void image_free(image_reader *self);

/* The next entry of the root file system: 1 with *RET (lent until the next call), 0 at the end of a
 * valid image, -1 on error. At 0, and not before, the manifest has been seen and found good.
 *
 * With a check that collects all findings, entries that break a rule are left out, 0 only means
 * that the end was reached, and the findings are the verdict; an error of kind RKT_INVALID is
 * always among them. */
int image_next(image_reader *self, const struct image_entry **ret, rkt_error **err);

/* As tar_data(), for the present entry. */
int image_data(image_reader *self, struct slice *ret, rkt_error **err);

/* After image_next() returned 0: the manifest, lent by SELF (NULL only when a check collected what
 * is wrong with it), and its bytes as they stand in the tar. */
const struct image_manifest *image_manifest(const image_reader *self);
struct slice image_manifest_bytes(const image_reader *self);

/* Reads IN, which it takes over, to its end as an image, keeping nothing: 0 when it is valid. For
 * what only taps, or CHECK in OPTIONS (may be NULL), want to know. */
int image_read_through(source *in, const struct image_options *options, rkt_error **err);

/* rkt_image_id_of_fd() within LIMITS (NULL: the defaults). */
int image_id_of_fd(int fd, const struct image_limits *limits, rkt_image_id *ret, rkt_error **err);

/* The number of members walked and the size of the tar so far, in bytes. */
uint64_t image_entry_count(const image_reader *self);
uint64_t image_tar_size(const image_reader *self);

SCOPE_DEFINE(image, image_reader *, image_free)
#define auto_image __attribute__((cleanup(scope_image)))
