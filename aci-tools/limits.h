/* The limits of S-012 as options, the same for all tools that read images. */
#pragma once

#include "aci/image.h"
#include "cli/opts.h"

/* Rows of an option table. LIMITS is a struct image_limits, with the defaults. */
#define LIMIT_OPTIONS(limits)                                                                    \
	LIMIT_OPTION("max-size", (limits).unpack.size_max, "BYTES",                              \
		"Refuse an image of more bytes after decompression. Default: any size."),        \
		LIMIT_OPTION("max-ratio", (limits).unpack.ratio_max, "N",                        \
			"Refuse an image that decompresses to more than N times its size, from " \
			"64 MiB on; 0: never. Default: 1000."),                                  \
		LIMIT_OPTION("max-manifest", (limits).manifest_max, "BYTES",                     \
			"Refuse a larger manifest. Default: 1048576."),                          \
		LIMIT_OPTION("max-entries", (limits).tar.entries_max, "N",                       \
			"Refuse an image of more entries, or directories without. Default: "     \
			"4000000."),                                                             \
		LIMIT_OPTION("max-path", (limits).tar.path_max, "BYTES",                         \
			"Refuse longer paths. Default: 4096."),                                  \
		LIMIT_OPTION("max-name", (limits).tar.part_max, "BYTES",                         \
			"Refuse longer parts of a path. Default: 255."),                         \
		LIMIT_OPTION("max-depth", (limits).tar.depth_max, "N",                           \
			"Refuse paths of more parts. Default: 1024."),                           \
		LIMIT_OPTION("max-header", (limits).tar.pax_max, "BYTES",                        \
			"Refuse a larger pax or GNU header of an entry. Default: 1048576."),     \
		LIMIT_OPTION("max-xattrs", (limits).tar.xattrs_max, "BYTES",                     \
			"Refuse an entry with more bytes of extended attributes. Default: "      \
			"65536."),                                                               \
		LIMIT_OPTION("max-extents", (limits).tar.extents_max, "N",                       \
			"Refuse a sparse file of more runs of data. Default: 262144.")

#define LIMIT_OPTION(name, number, argument, help)                         \
	{                                                                  \
		name, 0, OPT_NUMBER, &(number), argument, help, NULL, NULL \
	}
