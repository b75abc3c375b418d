/* One header block of 512 bytes, taken apart (POSIX.1-1988 ustar, GNU tar, v7). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* The largest sizes that twelve bytes hold in octal, with a NUL at the end and without: what
 * writers that put the true size into a pax header leave here, if not 0. */
#define TAR_OCTAL_SIZE_MAX      UINT64_C(077777777777)
#define TAR_OCTAL_SIZE_MAX_FULL UINT64_C(0777777777777)

struct tar_header {
	char type; /* as written: '0', 'L', 'x', ...; NUL for the oldest form of a file */
	/* Lent by the block. PREFIX goes before NAME with a slash between them when not empty. */
	struct slice prefix, name, link;
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t mtime_sec;
	uint32_t major, minor; /* 0 unless TYPE is '3' or '4' */
	/* GNU headers of type 'S': the list of a sparse member's runs (tar_sparse.h), lent by the
	 * block. Else NULL. */
	const uint8_t *sparse;
};

/* Reads BLOCK of 512 bytes. RKT_INVALID: a wrong checksum (both the unsigned sum of POSIX and the
 * signed one of old tars are right), an unknown form, a number that is malformed or out of range.
 */
int tar_header_read(const uint8_t *block, struct tar_header *ret, rkt_error **err);

/* Reads the number in the 12 bytes at BYTES, octal or base-256, not negative. NAME is for the
 * error, which is RKT_INVALID. */
int tar_header_number(const uint8_t *bytes, const char *name, uint64_t *ret, rkt_error **err);

/* Whether all LEN bytes are zero. */
bool tar_is_zero(const uint8_t *bytes, size_t len);
