/* The header of a gzip member, byte by byte. */
#include "aci/gzip_header.h"

#include <stddef.h>

#define FIXED_LEN 10u

enum flag {
	HAS_CHECKSUM = 0x02,
	HAS_EXTRA = 0x04,
	HAS_NAME = 0x08,
	HAS_COMMENT = 0x10,
	RESERVED = 0xe0,
};

/* CRC-32 with the polynomial of gzip; headers are short. */
static uint32_t crc32_add(uint32_t crc, uint8_t byte)
{
	crc = ~crc ^ byte;
	for (int bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	return ~crc;
}

/* Goes on to the next part that this header has. */
static void next_part(struct gzip_header *self)
{
	static const unsigned needs[] = {
		[GZIP_EXTRA_LEN] = HAS_EXTRA,
		[GZIP_EXTRA] = HAS_EXTRA,
		[GZIP_NAME] = HAS_NAME,
		[GZIP_COMMENT] = HAS_COMMENT,
		[GZIP_CHECKSUM] = HAS_CHECKSUM,
	};

	do
		self->part++;
	while (self->part < GZIP_HEADER_DONE && !(self->flags & needs[self->part]));
	if (self->part == GZIP_EXTRA && !self->number)
		next_part(self);
	if (self->part == GZIP_CHECKSUM)
		self->number = 0;
	self->have = 0;
}

static int fail_header(rkt_error **err)
{
	return rkt_fail(err, RKT_INVALID, "gzip: damaged header");
}

static int add_fixed(struct gzip_header *self, uint8_t byte, rkt_error **err)
{
	static const uint8_t start[] = { 0x1f, 0x8b, 8 }; /* the mark, and deflate */

	if (self->have < sizeof start && byte != start[self->have])
		return fail_header(err);
	if (self->have == sizeof start)
		self->flags = byte;
	if (self->flags & RESERVED)
		return fail_header(err);
	if (++self->have == FIXED_LEN)
		next_part(self);
	return 0;
}

int gzip_header_add(struct gzip_header *self, uint8_t byte, rkt_error **err)
{
	if (self->part != GZIP_CHECKSUM)
		self->crc = crc32_add(self->crc, byte);
	switch (self->part) {
	case GZIP_FIXED:
		return add_fixed(self, byte, err);
	case GZIP_EXTRA_LEN:
	case GZIP_CHECKSUM:
		self->number |= (unsigned)byte << 8 * self->have;
		if (++self->have < 2)
			return 0;
		if (self->part == GZIP_CHECKSUM && self->number != (self->crc & 0xffff))
			return rkt_fail(err, RKT_INVALID, "gzip: wrong header checksum");
		break;
	case GZIP_EXTRA:
		if (++self->have < self->number)
			return 0;
		break;
	case GZIP_NAME:
	case GZIP_COMMENT:
		if (byte)
			return 0;
		break;
	case GZIP_HEADER_DONE:
		return 0;
	}
	next_part(self);
	return 0;
}
