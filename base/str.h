/* Text: what is safe to show, and how numbers look to people. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * A copy of LEN bytes that cannot drive a terminal, break a line or forge a field: printable UTF-8
 * stays; control characters, bidirectional controls (U+202A..202E, U+2066..2069, U+200E, U+200F,
 * U+061C), line separators (U+2028, U+2029) and every byte of invalid UTF-8 become \n, \t, \r or
 * \xHH, and a backslash becomes \\. The caller frees it.
 */
char *str_escape(const void *bytes, size_t len);
/* Whether the code point is none of those: what may be shown as it is. */
bool str_is_showable(uint32_t code);

/* Length in bytes (1 to 4) of the valid UTF-8 sequence at TEXT, or 0 where there is none.
 * Overlong forms, surrogates and values above U+10FFFF are invalid (RFC 3629). *RET_CODE gets the
 * code point when it is not NULL. */
size_t str_utf8_next(const uint8_t *text, size_t len, uint32_t *ret_code);
/* Refuses (RKT_USAGE) what JSON has no form for: json_new_string() would replace it. */
int str_check_utf8(const char *text, rkt_error **err);

bool str_has_prefix(const char *text, const char *prefix);
bool str_has_suffix(const char *text, const char *suffix);

/* Reads all of TEXT as a decimal number of at most MAX: no sign, no space, no empty string.
 * Kind RKT_USAGE; WHAT names the thing in the message ("grace period"). */
int str_parse_u64(const char *text, uint64_t max, const char *what, uint64_t *ret, rkt_error **err);

/* Reads "812", "64K", "500M", "2G", "1T" as bytes, K being 1024. Kind RKT_USAGE; WHAT names the
 * thing. */
int str_parse_size(const char *text, const char *what, uint64_t *ret, rkt_error **err);

/* What a noun ends in behind the number N. */
static inline const char *str_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Writes "812 B", "1.4 MiB", ... into OUT (at least 16 bytes) and returns OUT. */
char *str_size(uint64_t bytes, char out[static 16]);
