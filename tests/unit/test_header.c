/* Values of HTTP header fields. */
#include "tests/unit/scratch.h"

#include "base/scope.h"
#include "store/fetch/header.h"

#define NOW 1790000000 /* in September 2026 */

static struct slice of(const char *text)
{
	return (struct slice){ (const uint8_t *)text, strlen(text) };
}

static struct cache_control caching(const char *text)
{
	struct cache_control got = { 0 };

	cache_control_parse(of(text), &got);
	return got;
}

static void cache_control_says_how_long(void **state)
{
	static const struct {
		const char *text;
		int64_t sec;
	} ages[] = { { "max-age=60", 60 }, { "public, MAX-AGE=60", 60 }, { " max-age=60 ,", 60 },
		{ "max-age=\"60\"", 60 }, { ",,max-age=0", 0 },
		{ "max-age=2147483648", 2147483648 },
		{ "max-age=99999999999999999999999", HEADER_SEC_MAX },
		{ "private=\"a, max-age=5\", max-age=60", 60 }, { "x=\"\\\"\", max-age=60", 60 },
		{ "max-age=60, max-age=60", 60 } };
	static const char *const stale[] = { "max-age=60, max-age=90", "max-age", "max-age=-5",
		"max-age=1.5", "max-age=x", "max-age=60, max-age=x", "max-age=\"\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
		struct cache_control got = caching(ages[i].text);

		assert_true(got.has_max_age && !got.no_cache && !got.no_store);
		assert_int_equal(got.max_age_sec, ages[i].sec);
	}
	for (size_t i = 0; i < ARRAY_LEN(stale); i++) {
		struct cache_control got = caching(stale[i]);

		assert_true(got.has_max_age);
		assert_int_equal(got.max_age_sec, 0);
	}
}

static void cache_control_forbids(void **state)
{
	static const char *const odd[] = { "max-age=60 x", "private=\"a", "=5", "a=", "max-age==5",
		"private=\"a\\", "max-age=60, \"a\"", "a b" };
	struct cache_control got = caching("no-store, max-age=5");

	(void)state;
	assert_true(got.no_store && !got.no_cache);
	assert_true(caching("No-Cache").no_cache);
	assert_true(caching("no-cache=\"set-cookie\"").no_cache);
	assert_false(caching("private=\"no-cache\"").no_cache);
	assert_false(caching("no-cachee, must-revalidate").no_cache);
	assert_false(caching("").no_cache);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		assert_true(caching(odd[i]).no_cache);
	cache_control_parse(of("no-cache"), &got);
	assert_true(got.no_store && got.no_cache && got.has_max_age);
}

static void dates_have_three_forms(void **state)
{
	static const char *const same[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		"Mon, 06 Nov 1994 08:49:37 GMT", " Sun, 06 Nov 1994 08:49:37 GMT\t" };
	static const char *const bad[] = { "", "Sun", "Sun,", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT x", "Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1993 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
		"Son, 06 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", "784111777",
		"Sun, -6 Nov 1994 08:49:37 GMT" };
	int64_t sec = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_true(http_date_parse(of(same[i]), NOW, &sec));
		assert_int_equal(sec, 784111777);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(http_date_parse(of(bad[i]), NOW, &sec));
}

static void dates_are_counted_from_the_epoch(void **state)
{
	static const struct {
		const char *text;
		int64_t sec;
	} dates[] = { { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
		{ "Mon, 01 Mar 2100 00:00:00 GMT", 4107542400 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
		{ "Sat, 01 Jan 0000 00:00:00 GMT", -62167219200 },
		{ "Monday, 01-Jan-76 00:00:00 GMT", 3345062400 },  /* 2076: 50 years ahead */
		{ "Monday, 01-Jan-77 00:00:00 GMT", 220924800 } }; /* 1977 */
	int64_t sec = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		assert_true(http_date_parse(of(dates[i].text), NOW, &sec));
		assert_int_equal(sec, dates[i].sec);
	}
}

static void waits_are_bounded(void **state)
{
	static const struct {
		const char *text;
		int64_t sec;
	} waits[] = { { "0", 0 }, { "120", 120 }, { " 5 ", 5 }, { "999999999999999999999", 86400 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 }, { "Mon, 21 Sep 2026 14:14:20 GMT", 60 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 86400 } };
	static const char *const bad[] = { "", "-1", "1.5", "5s", "soon", "1 2" };
	int64_t sec = -1;

	(void)state;
	assert_true(http_date_parse(of("Mon, 21 Sep 2026 14:13:20 GMT"), NOW, &sec));
	assert_int_equal(sec, NOW);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		assert_true(retry_after_parse(of(waits[i].text), NOW, &sec));
		assert_int_equal(sec, waits[i].sec);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(retry_after_parse(of(bad[i]), NOW, &sec));
}

static void ranges_fit_together(void **state)
{
	static const char *const bad[] = { "", "bytes", "bytes ", "bytes 0-9", "bytes 0-9/",
		"bytes */*", "bytes 9-0/100", "bytes 0-100/100", "bytes 0-9/9", "items 0-9/100",
		"bytes 0-9/100 x", "bytes 0-/100", "bytes -9/100", "bytes=0-9/100",
		"bytes 0-18446744073709551616/*", "bytes 0 - 9/100", "bytes 0-9/100,0-9/100",
		"bytes +0-9/100", "bytes0-9/100", "bytes */-1" };
	struct content_range got;

	(void)state;
	assert_true(content_range_parse(of("bytes 0-9/100"), &got));
	assert_true(got.has_range && got.has_total);
	assert_int_equal(got.first, 0);
	assert_int_equal(got.last, 9);
	assert_int_equal(got.total, 100);
	assert_true(content_range_parse(of("Bytes 5-5/*"), &got));
	assert_true(got.has_range && !got.has_total && got.first == 5 && got.last == 5);
	assert_true(content_range_parse(of("bytes */100"), &got));
	assert_true(!got.has_range && got.has_total && got.total == 100);
	assert_true(
		content_range_parse(of("bytes 0-18446744073709551614/18446744073709551615"), &got));
	assert_true(got.last == UINT64_MAX - 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(content_range_parse(of(bad[i]), &got));
}

static void entity_tags_are_compared_strongly(void **state)
{
	static const char *const bad[] = { "", "abc", "\"", "\"abc", "abc\"", "\"a b\"", "\"a\"b\"",
		"w/\"abc\"", "W/abc", "W/", "\"a\", \"b\"", "\"a\x7f\"", "\"a\r\nX: y\"", "*" };
	struct etag a, b, weak, empty;
	char longest[HEADER_ETAG_MAX + 2];

	(void)state;
	assert_true(etag_parse(of("\"abc\""), &a));
	assert_true(etag_parse(of(" \"abc\" "), &b));
	assert_true(etag_parse(of("W/\"abc\""), &weak));
	assert_true(etag_parse(of("\"\""), &empty));
	assert_true(!a.weak && weak.weak);
	assert_int_equal(b.whole.len, 5);
	assert_int_equal(weak.whole.len, 7);
	assert_memory_equal(weak.opaque.data, "abc", 3);
	assert_true(etag_same(&a, &b) && etag_same(&empty, &empty));
	assert_false(etag_same(&a, &weak));
	assert_false(etag_same(&weak, &weak));
	assert_false(etag_same(&a, &empty));
	assert_true(etag_parse(of("\"ab\xff\""), &b));
	assert_false(etag_same(&a, &b));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(etag_parse(of(bad[i]), &a));
	memset(longest, 'x', sizeof longest);
	longest[0] = longest[HEADER_ETAG_MAX - 1] = '"';
	assert_true(etag_parse((struct slice){ (uint8_t *)longest, HEADER_ETAG_MAX }, &a));
	longest[HEADER_ETAG_MAX - 1] = 'x';
	longest[HEADER_ETAG_MAX] = '"';
	assert_false(etag_parse((struct slice){ (uint8_t *)longest, HEADER_ETAG_MAX + 1 }, &a));
}

static void values_may_have_any_bytes(void **state)
{
	static const char nul[] = "max-age=60\0, no-store";
	struct cache_control got = { 0 };
	struct etag tag;

	(void)state;
	cache_control_parse((struct slice){ (const uint8_t *)nul, sizeof nul - 1 }, &got);
	assert_true(got.no_cache);
	assert_false(etag_parse((struct slice){ (const uint8_t *)"\"a\0\"", 4 }, &tag));
	cache_control_parse((struct slice){ NULL, 0 }, &got);
	assert_false(etag_parse((struct slice){ NULL, 0 }, &tag));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_control_says_how_long),
		cmocka_unit_test(cache_control_forbids),
		cmocka_unit_test(dates_have_three_forms),
		cmocka_unit_test(dates_are_counted_from_the_epoch),
		cmocka_unit_test(waits_are_bounded),
		cmocka_unit_test(ranges_fit_together),
		cmocka_unit_test(entity_tags_are_compared_strongly),
		cmocka_unit_test(values_may_have_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
