/*
 * Decompression, chosen by content, never by name (appc: Image archives).
 *
 * Concatenated members are one stream; checksums are verified; what follows the last member and is
 * not a member is refused; a stream that ends early is refused even when all data seem to be there
 * (S-006). GNU tools pad tapes with zeros after the last member: also refused, as `gzip -t` warns.
 */
#pragma once

#include "aci/source.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_BZIP2,
	COMPRESSION_XZ,
	COMPRESSION_ZSTD,
};

/* "none", "gzip", "bzip2", "xz", "zstd". */
const char *compression_name(enum compression kind);

struct unpack_limits {
	uint64_t size_max;   /* bytes after decompression; 0: no limit */
	uint64_t ratio_max;  /* unpacked : packed; 0: no limit. S-012 */
	uint64_t ratio_from; /* the ratio is looked at from this many unpacked bytes on */
	uint64_t window_max; /* bytes an archive may ask us to look back; 0: 64 MiB */
};
/* No size limit; 1000:1 past 64 MiB. Windows (the dictionary of xz, the window of zstd) up to 64
 * MiB: everything `xz -9` and `zstd -19` write, not `zstd --ultra -22` or --long=27. */
extern const struct unpack_limits unpack_limits_default;

/* Looks at the first bytes of BELOW and returns a source of the uncompressed stream. An empty
 * input, and an OpenPGP encrypted one, are refused by name (RKT_INVALID). Takes over BELOW, also on
 * failure (NULL). RET_KIND may be NULL. */
source *source_unpack(source *below, const struct unpack_limits *limits, enum compression *ret_kind,
	rkt_error **err);

/* The same with threads (LIMITS NULL: the defaults): what decompresses neither waits for the disk
 * nor for the digest. Decompression is the slowest of the three, and reading takes a tenth of its
 * time. RET_KIND may be NULL. */
source *source_unpack_threaded(source *below, const struct unpack_limits *limits,
	enum compression *ret_kind, rkt_error **err);
