/*
 * The header of a gzip member (RFC 1952, 2.3), read a byte at a time.
 *
 * isa-l can read it too, but takes a right header checksum for a wrong one when the header reaches
 * it in several pieces; and pieces it gets, wherever a member happens to start near the end of a
 * block.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum gzip_header_part {
	GZIP_FIXED,
	GZIP_EXTRA_LEN,
	GZIP_EXTRA,
	GZIP_NAME,
	GZIP_COMMENT,
	GZIP_CHECKSUM,
	GZIP_HEADER_DONE,
};

/* All zero to start with. */
struct gzip_header {
	enum gzip_header_part part;
	unsigned have; /* bytes of the part so far */
	unsigned flags;
	unsigned number; /* of the extra length or the checksum: what is read of it */
	uint32_t crc;    /* of all bytes before the checksum */
};

/* Takes in the next byte; PART says when the last one was. RKT_INVALID. */
int gzip_header_add(struct gzip_header *self, uint8_t byte, rkt_error **err);
