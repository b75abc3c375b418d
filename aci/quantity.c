/* Quantities, computed exactly in 128 bits: never a floating point number on the way. */
#include "aci/quantity.h"

#include <stddef.h>
#include <string.h>

#include "base/scope.h"

#define DECIMALS_MAX 9
#define TOO_LARGE    "is above 2^63-1"

typedef unsigned __int128 wide;

/* MULTIPLIER / DIVISOR is what the suffix means. */
static const struct {
	const char *suffix;
	uint64_t multiplier, divisor;
} suffixes[] = {
	{ "", 1, 1 },
	{ "m", 1, 1000 },
	{ "k", 1000ull, 1 },
	{ "K", 1000ull, 1 },
	{ "M", 1000000ull, 1 },
	{ "G", 1000000000ull, 1 },
	{ "T", 1000000000000ull, 1 },
	{ "P", 1000000000000000ull, 1 },
	{ "E", 1000000000000000000ull, 1 },
	{ "Ki", 1ull << 10, 1 },
	{ "Mi", 1ull << 20, 1 },
	{ "Gi", 1ull << 30, 1 },
	{ "Ti", 1ull << 40, 1 },
	{ "Pi", 1ull << 50, 1 },
	{ "Ei", 1ull << 60, 1 },
};

static bool refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Appends the digits of *AT to *VALUE and steps over them; false when they do not fit. */
static bool take_digits(const char **at, wide *value)
{
	for (; is_digit(**at); (*at)++) {
		if (*value > (wide)INT64_MAX * 1000000000)
			return false;
		*value = *value * 10 + (wide)(**at - '0');
	}
	return true;
}

bool quantity_parse(const char *text, enum quantity_unit unit, uint64_t *ret, const char **ret_why)
{
	const char *at = text;
	wide value = 0, divisor = 1;
	size_t kind = 0;

	if (!is_digit(*at))
		return refuse(ret_why, "does not begin with a digit");
	if (!take_digits(&at, &value))
		return refuse(ret_why, TOO_LARGE);
	if (*at == '.') {
		const char *decimals = ++at;

		if (!is_digit(*at))
			return refuse(ret_why, "has no digit after the point");
		if (strspn(at, "0123456789") > DECIMALS_MAX)
			return refuse(ret_why, "has more than nine decimals");
		if (!take_digits(&at, &value))
			return refuse(ret_why, TOO_LARGE);
		for (; decimals < at; decimals++)
			divisor *= 10;
	}
	while (kind < ARRAY_LEN(suffixes) && strcmp(at, suffixes[kind].suffix) != 0)
		kind++;
	if (kind == ARRAY_LEN(suffixes))
		return refuse(ret_why,
			"has an unknown suffix (m, K, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei)");
	divisor *= suffixes[kind].divisor;
	if (__builtin_mul_overflow(value, (wide)suffixes[kind].multiplier * unit, &value))
		return refuse(ret_why, TOO_LARGE);
	value = value / divisor + (value % divisor != 0);
	if (value > INT64_MAX)
		return refuse(ret_why, TOO_LARGE);
	*ret = (uint64_t)value;
	return true;
}
