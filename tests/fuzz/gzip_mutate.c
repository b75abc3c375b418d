/*
 * Changes that leave gzip members whole: libFuzzer alone would never find a right CRC. After its
 * random change each member that can be inflated gets its checksum and length; sometimes all are
 * put behind themselves once more.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <zlib.h>

#define HEADER       10u
#define TRAILER      8u
#define UNPACKED_MAX (1u << 20)

static void put_le32(uint8_t *at, unsigned long value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* The length of the header of a member without optional fields, which is what gets repaired; 0 when
 * there is none. */
static size_t plain_header(const uint8_t *data, size_t size)
{
	return size > HEADER && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8 && !data[3]
		       ? HEADER
		       : 0;
}

/* Inflates one member at DATA and gives it its trailer. Returns its length, or 0. */
static size_t repair_member(uint8_t *data, size_t size)
{
	static uint8_t out[65536];
	z_stream stream = { 0 };
	unsigned long crc = crc32(0, NULL, 0);
	size_t header = plain_header(data, size), end = 0;
	int state;

	if (!header || inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return 0;
	stream.next_in = data + header;
	stream.avail_in = (unsigned)(size - header);
	do {
		stream.next_out = out;
		stream.avail_out = sizeof out;
		state = inflate(&stream, Z_NO_FLUSH);
		crc = crc32(crc, out, (unsigned)(sizeof out - stream.avail_out));
	} while (state == Z_OK && stream.total_out < UNPACKED_MAX);
	if (state == Z_STREAM_END && stream.avail_in >= TRAILER) {
		end = size - stream.avail_in;
		put_le32(data + end, crc);
		put_le32(data + end + 4, stream.total_out);
		end += TRAILER;
	}
	inflateEnd(&stream);
	return end;
}

size_t gzip_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size_t at = 0, len = 0;

	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8 == 0)
		return size; /* wrong checksums are of interest, too */
	while (at < size && (len = repair_member(data + at, size - at)))
		at += len;
	if (seed % 8 == 1 && at && at <= max_size - size) {
		memcpy(data + size, data, at);
		size += at;
	}
	return size;
}
