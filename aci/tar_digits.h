/* Decimal numbers in the texts that tars have in them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Reads decimal digits at *TEXT up to END and moves *TEXT behind them; false, and nothing changed,
 * when there are none or they make more than 64 bits. */
static inline bool tar_digits(const uint8_t **text, const uint8_t *end, uint64_t *ret)
{
	const uint8_t *at = *text;
	uint64_t value = 0;

	for (; at < end && *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return false;
	if (at == *text)
		return false;
	*text = at;
	*ret = value;
	return true;
}

/* Sets *RET to the number of at most MAX that is all of the LEN bytes at TEXT; false when they are
 * something else. */
static inline bool tar_digits_all(const uint8_t *text, size_t len, uint64_t max, uint64_t *ret)
{
	const uint8_t *end = text + len;

	return len && tar_digits(&text, end, ret) && text == end && *ret <= max;
}
