/* Random UUIDs from getrandom(2). */
#include "base/uuid.h"

#include <string.h>
#include <sys/random.h>

#include "base/hex.h"

int uuid_make(char out[static UUID_TEXT_LEN + 1], rkt_error **err)
{
	uint8_t bytes[16];
	char hex[33];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return rkt_fail_errno(err, "getrandom");
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* RFC 4122 variant */
	hex_encode(bytes, sizeof bytes, hex);
	snprintf(out, UUID_TEXT_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		hex + 16, hex + 20);
	return 0;
}

bool uuid_is(const char *text)
{
	static const size_t dashes[] = { 8, 13, 18, 23 };
	size_t from = 0;

	if (strlen(text) != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(dashes); i++) {
		if (text[dashes[i]] != '-' || !hex_is(text + from, dashes[i] - from))
			return false;
		from = dashes[i] + 1;
	}
	return hex_is(text + from, UUID_TEXT_LEN - from);
}
