/* Base64, read. */
#include "base/base64.h"

static int value_of(uint8_t digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

bool base64_decode(uint8_t *bytes, size_t *len)
{
	size_t in_len = *len, out_len = 0;
	unsigned bits = 0, have = 0;

	for (int i = 0; i < 2 && in_len && *len % 4 == 0 && bytes[in_len - 1] == '='; i++)
		in_len--;
	if (in_len % 4 == 1)
		return false;
	for (size_t i = 0; i < in_len; i++) {
		int value = value_of(bytes[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[out_len++] = (uint8_t)(bits >> have);
		}
	}
	*len = out_len;
	return !(bits & ((1u << have) - 1)); /* left-over bits are zero in what encoders write */
}
