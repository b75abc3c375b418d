/*
 * Values of header fields under any bytes, against the grammar of RFC 9110 as regular expressions,
 * and dates against the C library.
 */
#include "tests/fuzz/fuzz.h"

#include <regex.h>
#include <string.h>
#include <time.h>

#include "store/fetch/header.h"

#define NOW 1790000000

enum pattern { RANGE, ETAG, SECONDS };

static const char *const patterns[] = {
	[RANGE] = "^[ \t]*[Bb][Yy][Tt][Ee][Ss] (([0-9]+-[0-9]+/([0-9]+|\\*))|(\\*/[0-9]+))[ \t]*$",
	[ETAG] = "^[ \t]*(W/)?\"[^\" \x01-\x1f\x7f]*\"[ \t]*$",
	[SECONDS] = "^[ \t]*[0-9]+[ \t]*$",
};

static bool matches(enum pattern which, struct slice bytes)
{
	static regex_t compiled[ARRAY_LEN(patterns)];
	static bool ready[ARRAY_LEN(patterns)];
	auto_free char *text = text_of(bytes);

	if (strlen(text) != bytes.len)
		return false;
	if (!ready[which])
		PROMISE(regcomp(&compiled[which], patterns[which], REG_EXTENDED | REG_NOSUB) == 0);
	ready[which] = true;
	return regexec(&compiled[which], text, 0, NULL, 0) == 0;
}

static void check_caching(struct slice bytes)
{
	struct cache_control got = { 0 }, twice;

	cache_control_parse(bytes, &got);
	PROMISE(got.max_age_sec >= 0 && got.max_age_sec <= HEADER_SEC_MAX);
	PROMISE(got.has_max_age || !got.max_age_sec);
	twice = got;
	cache_control_parse(bytes, &twice); /* the same line again says nothing new */
	PROMISE(twice.no_store == got.no_store && twice.no_cache == got.no_cache);
	PROMISE(twice.max_age_sec == got.max_age_sec);
}

static void check_date(struct slice bytes)
{
	char text[64];
	struct tm tm;
	int64_t sec = 0, again = 0;
	time_t clock;

	if (!http_date_parse(bytes, NOW, &sec))
		return;
	clock = (time_t)sec;
	PROMISE(gmtime_r(&clock, &tm));
	PROMISE(strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm));
	if (tm.tm_year < 1000 - 1900 || tm.tm_year > 9999 - 1900) /* not four digits, there */
		return;
	PROMISE(http_date_parse(
		(struct slice){ (const uint8_t *)text, strlen(text) }, NOW, &again));
	PROMISE(again == sec);
}

static void check_waits(struct slice bytes)
{
	int64_t sec = -1, wait = -1;
	bool is_seconds = header_seconds_parse(bytes, &sec);

	PROMISE(is_seconds == matches(SECONDS, bytes));
	PROMISE(!is_seconds || (sec >= 0 && sec <= HEADER_SEC_MAX));
	if (retry_after_parse(bytes, NOW, &wait))
		PROMISE(wait >= 0 && wait <= HEADER_RETRY_MAX_SEC);
	else
		PROMISE(!is_seconds);
}

static void check_range(struct slice bytes)
{
	struct content_range got;

	if (!content_range_parse(bytes, &got))
		return;
	PROMISE(matches(RANGE, bytes));
	PROMISE(got.has_range || got.has_total);
	PROMISE(!got.has_range || got.first <= got.last);
	PROMISE(!got.has_range || !got.has_total || got.last < got.total);
}

static void check_etag(struct slice bytes)
{
	struct etag got, again;
	bool is_one = etag_parse(bytes, &got);

	PROMISE(is_one == (matches(ETAG, bytes) && got.whole.len <= HEADER_ETAG_MAX));
	if (!is_one)
		return;
	PROMISE(etag_parse(got.whole, &again) && again.whole.len == got.whole.len);
	PROMISE(got.whole.len == got.opaque.len + (got.weak ? 4 : 2));
	PROMISE(etag_same(&got, &again) == !got.weak);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { data, size };

	check_caching(bytes);
	check_date(bytes);
	check_waits(bytes);
	check_range(bytes);
	check_etag(bytes);
	return 0;
}
