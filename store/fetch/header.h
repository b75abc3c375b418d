/*
 * What is in the values of HTTP header fields (RFC 9110, RFC 9111): caching, entity tags, ranges,
 * dates. Every function takes the bytes of one field line, of any length, which need not end with a
 * NUL and may have any bytes inside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Times in seconds are cut to this: RFC 9111 asks for at least 31 bits. */
#define HEADER_SEC_MAX 2147483648
/* Nobody is asked to wait longer: one day. */
#define HEADER_RETRY_MAX_SEC 86400
/* Longer entity tags are none. */
#define HEADER_ETAG_MAX 1024

/* All zero before the first line. */
struct cache_control {
	bool no_store, no_cache;
	bool has_max_age;
	int64_t max_age_sec; /* of several that differ, and of one that is no number: 0 */
};

/* Adds what VALUE, one line of possibly several, says to *RET. Directives that are not known are
 * passed over, with their arguments; `no-cache` with names of fields counts as without. What breaks
 * the grammar (a quoted string without an end, ...) counts as `no-cache`: who cannot be understood
 * is asked again. */
void cache_control_parse(struct slice value, struct cache_control *ret);

/* Whether LINE may go with a request: "NAME: VALUE", of which the value may be empty. */
bool header_line_is_sane(struct slice line);

/* Decimal digits alone: delta-seconds, as in `Age`. Above HEADER_SEC_MAX it is that. */
bool header_seconds_parse(struct slice value, int64_t *ret_sec);

/* A date in any of the three forms (RFC 9110, 5.6.7), in seconds since the epoch. Two digits of a
 * year mean the one at most 50 years after NOW_SEC that ends so. The day of the week must be one,
 * and is not held against the date. */
bool http_date_parse(struct slice value, int64_t now_sec, int64_t *ret_sec);

/* How long `Retry-After`, seconds or a date, asks to wait from NOW_SEC on: 0 to
 * HEADER_RETRY_MAX_SEC. */
bool retry_after_parse(struct slice value, int64_t now_sec, int64_t *ret_sec);

struct content_range {
	bool has_range; /* first and last mean something; else the range was refused (416) */
	bool has_total;
	uint64_t first, last; /* both included; first <= last, last < total */
	uint64_t total;
};

/* "bytes 0-9/100", the same with a star for what is not known, but not for both. Anything else,
 * another unit, and numbers that do not fit together or into 64 bits: false. */
bool content_range_parse(struct slice value, struct content_range *ret);

/* An entity tag as it is sent back. */
struct etag {
	bool weak;
	struct slice whole;  /* "abc" or W/"abc", quotes included; lent by the value */
	struct slice opaque; /* between the quotes */
};

bool etag_parse(struct slice value, struct etag *ret);
/* The strong comparison (RFC 9110, 8.8.3.2): both are strong and the same. Only this proves that
 * bytes are of one version (S-027). */
bool etag_same(const struct etag *a, const struct etag *b);
