/*
 * An image layout on disk (appc aci.md, Image Layout): a directory with a manifest and a rootfs,
 * held against the same rules as an archive of it.
 */
#pragma once

#include "aci/image.h"

/* The header_offset of entries that are in no tar. */
#define LAYOUT_NO_OFFSET UINT64_MAX

struct layout_options {
	const struct image_limits *limits; /* NULL: the defaults */
	check *check;                      /* NULL: stop at the first error */
	/* Called for everything below the rootfs, and the rootfs itself with the path "": as what it
	 * would be in an archive, with its attributes; lent. Returns 0, or -1 with
	 * *err set. NULL: nobody wants to know, and attributes are not read. */
	int (*see)(void *context, const struct image_entry *entry, rkt_error **err);
	void *context;
};

/* Looks through the layout in the directory DIR. Returns 0 at its end (with a check that collects
 * all: the findings are the verdict), or -1: RKT_INVALID when a rule is broken, else what could not
 * be read. Follows no symbolic link, opens nothing but directories, the manifest and, for
 * attributes, regular files; holds one descriptor at a time below DIR and needs memory for the
 * names of one directory and the paths of those still to come. */
int layout_read_through(int dir, const struct layout_options *options, rkt_error **err);
