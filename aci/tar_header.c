/* The fixed fields of a tar header. */
#include "aci/tar_header.h"

#include <inttypes.h>
#include <string.h>

struct field {
	const char *name;
	unsigned offset, len;
};

/* clang-format off */
static const struct field
	NAME     = { "name",       0, 100 },
	MODE     = { "mode",     100,   8 },
	UID      = { "uid",      108,   8 },
	GID      = { "gid",      116,   8 },
	SIZE     = { "size",     124,  12 },
	MTIME    = { "mtime",    136,  12 },
	CHECKSUM = { "checksum", 148,   8 },
	LINK     = { "linkname", 157, 100 },
	MAGIC    = { "magic",    257,   8 },
	MAJOR    = { "devmajor", 329,   8 },
	MINOR    = { "devminor", 337,   8 },
	PREFIX   = { "prefix",   345, 155 };
/* clang-format on */

#define TYPE_OFFSET   156u
#define SPARSE_OFFSET 386u
#define BLOCK_LEN     512u

#define ID_MAX    (UINT32_MAX - 1) /* chown(2): 2^32-1 means "leave it" */
#define MAJOR_MAX ((UINT32_C(1) << 12) - 1)
#define MINOR_MAX ((UINT32_C(1) << 20) - 1)

bool tar_is_zero(const uint8_t *bytes, size_t len)
{
	return !len || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

/* ---- numbers ------------------------------------------------------------------------------- */

static int fail_number(struct field field, const char *why, rkt_error **err)
{
	return rkt_fail(err, RKT_INVALID, "header: %s %s", field.name, why);
}

/* GNU's base-256: two's complement, big-endian, with the highest bit set as a mark. */
static int read_base256(const uint8_t *bytes, struct field field, int64_t *ret, rkt_error **err)
{
	bool negative = bytes[0] & 0x40;
	/* the mark is no digit: extend the sign over it */
	uint8_t first = negative ? bytes[0] : bytes[0] & 0x7f;
	uint64_t value = negative ? UINT64_MAX : 0;

	for (unsigned i = 0; i < field.len; i++) {
		/* what is shifted out, and the sign bit after it, must be all sign */
		if ((int64_t)value >> 55 != (negative ? -1 : 0))
			return fail_number(field, "is too large", err);
		value = value << 8 | (i ? bytes[i] : first);
	}
	*ret = (int64_t)value;
	return 0;
}

/* Spaces, octal digits, then nothing but spaces and NULs. All blank is 0. */
static int read_octal(const uint8_t *bytes, struct field field, int64_t *ret, rkt_error **err)
{
	uint64_t value = 0; /* 12 digits are 36 bits */
	unsigned i = 0;

	while (i < field.len && bytes[i] == ' ')
		i++;
	for (; i < field.len && bytes[i] >= '0' && bytes[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(bytes[i] - '0');
	for (; i < field.len; i++)
		if (bytes[i] && bytes[i] != ' ')
			return fail_number(field, "is not a number", err);
	*ret = (int64_t)value;
	return 0;
}

static int read_signed(const uint8_t *block, struct field field, int64_t *ret, rkt_error **err)
{
	const uint8_t *bytes = block + field.offset;

	return bytes[0] & 0x80 ? read_base256(bytes, field, ret, err)
			       : read_octal(bytes, field, ret, err);
}

static int read_unsigned(const uint8_t *block, struct field field, uint64_t *ret, rkt_error **err)
{
	int64_t value = 0;

	if (read_signed(block, field, &value, err) < 0)
		return -1;
	if (value < 0)
		return fail_number(field, "is negative", err);
	*ret = (uint64_t)value;
	return 0;
}

int tar_header_number(const uint8_t *bytes, const char *name, uint64_t *ret, rkt_error **err)
{
	return read_unsigned(bytes, (struct field){ name, 0, 12 }, ret, err);
}

static int read_u32(
	const uint8_t *block, struct field field, uint32_t max, uint32_t *ret, rkt_error **err)
{
	uint64_t value = 0;

	if (read_unsigned(block, field, &value, err) < 0)
		return -1;
	if (value > max)
		return fail_number(field, "is too large", err);
	*ret = (uint32_t)value;
	return 0;
}

/* ---- the rest ------------------------------------------------------------------------------ */

/* The sum of all bytes, those of the checksum itself counted as spaces; in old archives of bytes
 * with a sign. The plain loop is one the compiler turns into vector code: it was most of what a
 * walk over many small files cost. */
static bool checksum_is_right(const uint8_t *block)
{
	int plain = 0, high = 0;
	int64_t written = 0;

	if (block[CHECKSUM.offset] & 0x80 ||
		read_octal(block + CHECKSUM.offset, CHECKSUM, &written, NULL) < 0)
		return false;
	for (unsigned i = 0; i < BLOCK_LEN; i++)
		plain += block[i];
	for (unsigned i = CHECKSUM.offset; i < CHECKSUM.offset + CHECKSUM.len; i++)
		plain += ' ' - block[i];
	if (written == plain)
		return true;
	for (unsigned i = 0; i < BLOCK_LEN; i++)
		high += block[i] >> 7;
	return written == plain - 256 * high; /* the checksum's own bytes are octal: never high */
}

/* A text ends at its first NUL or fills the field. */
static struct slice read_text(const uint8_t *block, struct field field)
{
	const uint8_t *bytes = block + field.offset;

	return (struct slice){ bytes, strnlen((const char *)bytes, field.len) };
}

/* Tells the forms apart: only ustar has a prefix (GNU keeps times there, v7 nothing). */
static int read_form(const uint8_t *block, struct tar_header *ret, rkt_error **err)
{
	const uint8_t *magic = block + MAGIC.offset;

	ret->prefix = (struct slice){ 0 };
	ret->sparse = NULL;
	if (!memcmp(magic,
		    "ustar\0"
		    "00",
		    MAGIC.len))
		ret->prefix = read_text(block, PREFIX);
	else if (!memcmp(magic, "ustar  ", MAGIC.len))
		ret->sparse = ret->type == 'S' ? block + SPARSE_OFFSET : NULL;
	else if (!tar_is_zero(magic, MAGIC.len))
		return rkt_fail(err, RKT_INVALID, "header: neither ustar, GNU nor v7");
	return 0;
}

static int read_numbers(const uint8_t *block, struct tar_header *ret, rkt_error **err)
{
	if (read_u32(block, MODE, UINT32_MAX, &ret->mode, err) < 0 ||
		read_u32(block, UID, ID_MAX, &ret->uid, err) < 0 ||
		read_u32(block, GID, ID_MAX, &ret->gid, err) < 0 ||
		read_unsigned(block, SIZE, &ret->size, err) < 0 ||
		read_signed(block, MTIME, &ret->mtime_sec, err) < 0)
		return -1;
	ret->major = ret->minor = 0;
	if (ret->type != '3' && ret->type != '4')
		return 0; /* writers leave anything there */
	if (read_u32(block, MAJOR, MAJOR_MAX, &ret->major, err) < 0)
		return -1;
	return read_u32(block, MINOR, MINOR_MAX, &ret->minor, err);
}

int tar_header_read(const uint8_t *block, struct tar_header *ret, rkt_error **err)
{
	if (!checksum_is_right(block))
		return rkt_fail(err, RKT_INVALID, "header: wrong checksum");
	ret->type = (char)block[TYPE_OFFSET];
	ret->name = read_text(block, NAME);
	ret->link = read_text(block, LINK);
	if (read_form(block, ret, err) < 0)
		return -1;
	return read_numbers(block, ret, err);
}
