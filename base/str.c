/* Text: what is safe to show, and how numbers look to people. */
#include "base/str.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

size_t str_utf8_next(const uint8_t *text, size_t len, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t need;

	if (!len)
		return 0;
	if (text[0] < 0x80) {
		need = 1, code = text[0];
	} else if ((text[0] & 0xe0) == 0xc0) {
		need = 2, code = text[0] & 0x1f;
	} else if ((text[0] & 0xf0) == 0xe0) {
		need = 3, code = text[0] & 0x0f;
	} else if ((text[0] & 0xf8) == 0xf0) {
		need = 4, code = text[0] & 0x07;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (ret_code)
		*ret_code = code;
	return need;
}

int str_check_utf8(const char *text, rkt_error **err)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t len = strlen(text);

	for (size_t at = 0, step; at < len; at += step) {
		step = str_utf8_next(bytes + at, len - at, NULL);
		if (!step)
			return rkt_fail(err, RKT_USAGE,
				"'%s' is not UTF-8, and a manifest can hold nothing else", text);
	}
	return 0;
}

bool str_is_showable(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	if (code == 0x200e || code == 0x200f || code == 0x61c)
		return false;
	return !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069);
}

static void escape_byte(struct buf *out, uint8_t byte)
{
	if (byte == '\n')
		buf_append_text(out, "\\n");
	else if (byte == '\t')
		buf_append_text(out, "\\t");
	else if (byte == '\r')
		buf_append_text(out, "\\r");
	else
		buf_printf(out, "\\x%02x", byte);
}

char *str_escape(const void *bytes, size_t len)
{
	const uint8_t *text = bytes;
	struct buf out = { 0 };

	for (size_t at = 0; at < len;) {
		uint32_t code = 0;
		size_t step = str_utf8_next(text + at, len - at, &code);

		if (step == 1 && text[at] == '\\') {
			buf_append_text(&out, "\\\\");
		} else if (step && str_is_showable(code)) {
			buf_append(&out, text + at, step);
		} else {
			step = step ? step : 1;
			for (size_t i = 0; i < step; i++)
				escape_byte(&out, text[at + i]);
		}
		at += step;
	}
	return buf_steal_text(&out);
}

bool str_has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len >= tail && strcmp(text + len - tail, suffix) == 0;
}

int str_parse_u64(const char *text, uint64_t max, const char *what, uint64_t *ret, rkt_error **err)
{
	uint64_t value = 0;

	if (!*text)
		return rkt_fail(err, RKT_USAGE, "%s: a number is needed", what);
	for (const char *at = text; *at; at++) {
		if (*at < '0' || *at > '9')
			return rkt_fail(err, RKT_USAGE, "%s: '%s' is not a number", what, text);
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*at - '0'), &value) || value > max)
			return rkt_fail(err, RKT_USAGE, "%s: %s is above the limit of %llu", what,
				text, (unsigned long long)max);
	}
	*ret = value;
	return 0;
}

int str_parse_size(const char *text, const char *what, uint64_t *ret, rkt_error **err)
{
	static const char letters[] = "KMGT";
	size_t len = strlen(text);
	const char *unit = len > 1 ? strchr(letters, text[len - 1]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - letters + 1) : 0;
	auto_free char *digits = xstrdup(text);
	uint64_t count;

	if (unit)
		digits[len - 1] = '\0';
	if (digits[strspn(digits, "0123456789")] || !*digits)
		return rkt_fail(err, RKT_USAGE,
			"%s: '%s' is not a size: 64K, 500M, 2G, 1T, or bytes", what, text);
	if (str_parse_u64(digits, UINT64_MAX >> shift, what, &count, NULL) < 0)
		return rkt_fail(err, RKT_USAGE, "%s: %s is too large", what, text);
	*ret = count << shift;
	return 0;
}

char *str_size(uint64_t bytes, char out[static 16])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 1023.95 && unit + 1 < ARRAY_LEN(units)) {
		size /= 1024;
		unit++;
	}
	snprintf(out, 16, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
	return out;
}
