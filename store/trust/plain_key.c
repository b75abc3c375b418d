/* Armor and packets of RFC 4880, as gpg writes them. */
#include "store/trust/plain_key.h"

#include <string.h>

#include "base/base64.h"

/* ---- packets --------------------------------------------------------------------------------- */

enum { /* 4.3 */
	TAG_SIGNATURE = 2,
	TAG_PUBLIC_KEY = 6,
	TAG_USER_ID = 13,
	TAG_PUBLIC_SUBKEY = 14,
	TAG_USER_ATTRIBUTE = 17,
};

static uint64_t big_endian(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* The length of a header with its first byte, 0 when it has no definite length of a body, which
 * becomes *RET_BODY_LEN (4.2). */
static size_t read_header(struct slice bytes, uint64_t *ret_body_len)
{
	bool is_new = bytes.data[0] & 0x40;
	uint8_t first = bytes.len > 1 ? bytes.data[1] : 0;
	size_t digits = (size_t)1 << (bytes.data[0] & 3), len;

	if (is_new)
		digits = first < 192 ? 1 : first < 224 ? 2 : 4;
	len = 1 + digits + (is_new && digits == 4);
	if (bytes.len < len || (is_new ? first >= 224 && first < 255 : digits == 8))
		return 0;
	*ret_body_len = big_endian(bytes.data + len - digits, digits);
	if (is_new && digits == 2)
		*ret_body_len = *ret_body_len - (192 << 8) + 192;
	return len;
}

/* Takes one packet off the front of REST: its tag, or -1. */
static int take_packet(struct slice *rest)
{
	uint8_t first = rest->data[0];
	uint64_t body_len;
	size_t header_len = first & 0x80 ? read_header(*rest, &body_len) : 0;

	if (!header_len || body_len > rest->len - header_len)
		return -1;
	rest->data += header_len + body_len;
	rest->len -= header_len + (size_t)body_len;
	return first & 0x40 ? first & 0x3f : first >> 2 & 0xf;
}

/* Compressed packets are not among these: they may have keys in them. */
static bool belongs_to_key(int tag)
{
	return tag == TAG_SIGNATURE || tag == TAG_USER_ID || tag == TAG_PUBLIC_SUBKEY ||
	       tag == TAG_USER_ATTRIBUTE;
}

static bool is_one_key(struct slice packets)
{
	if (!packets.len || take_packet(&packets) != TAG_PUBLIC_KEY)
		return false;
	while (packets.len)
		if (!belongs_to_key(take_packet(&packets)))
			return false;
	return true;
}

/* ---- armor ----------------------------------------------------------------------------------- */

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Takes a line off the front of REST, without the white space at its end; false at the end. */
static bool take_line(struct slice *rest, struct slice *ret)
{
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->data) : rest->len;

	if (!rest->len)
		return false;
	*ret = (struct slice){ rest->data, len };
	while (ret->len && is_blank(ret->data[ret->len - 1]))
		ret->len--;
	rest->data += len + (end != NULL);
	rest->len -= len + (end != NULL);
	return true;
}

static bool is_text(struct slice line, const char *text)
{
	return line.len == strlen(text) && memcmp(line.data, text, line.len) == 0;
}

/* 6.1 */
static uint32_t crc24(struct slice bytes)
{
	uint32_t crc = 0xb704ce;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (uint32_t)bytes.data[i] << 16;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x800000 ? 0x1864cfb : 0);
	}
	return crc & 0xffffff;
}

static bool has_checksum(struct slice bytes, struct slice line)
{
	uint8_t digits[4];
	size_t len = sizeof digits;

	if (line.len != 1 + sizeof digits || line.data[0] != '=')
		return false;
	memcpy(digits, line.data + 1, sizeof digits);
	return base64_decode(digits, &len) && len == 3 && big_endian(digits, len) == crc24(bytes);
}

/* What is in the armor TEXT, which nothing stands before or behind (6.2). */
static bool dearmor(struct slice text, struct buf *ret)
{
	struct slice line;

	if (!take_line(&text, &line) || !is_text(line, "-----BEGIN PGP PUBLIC KEY BLOCK-----"))
		return false;
	do /* headers: Version, Comment */
		if (!take_line(&text, &line))
			return false;
	while (line.len && memmem(line.data, line.len, ": ", 2));
	if (line.len)
		return false;
	while (take_line(&text, &line) && line.len && line.data[0] != '=')
		buf_append(ret, line.data, line.len);
	if (!base64_decode(ret->data, &ret->len) || !has_checksum(buf_slice(ret), line))
		return false;
	if (!take_line(&text, &line) || !is_text(line, "-----END PGP PUBLIC KEY BLOCK-----"))
		return false;
	while (take_line(&text, &line))
		if (line.len)
			return false;
	return true;
}

bool plain_key_append(struct slice bytes, struct buf *ret)
{
	auto_buf struct buf binary = { 0 };

	if (bytes.len && !(bytes.data[0] & 0x80)) { /* so gpg tells it too */
		if (!dearmor(bytes, &binary))
			return false;
		bytes = buf_slice(&binary);
	}
	if (!is_one_key(bytes))
		return false;
	buf_append(ret, bytes.data, bytes.len);
	return true;
}
