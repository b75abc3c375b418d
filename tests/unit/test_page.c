/* The tags of discovery pages (S-030). */
#include "tests/unit/scratch.h"

#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "store/fetch/page.h"

#define TAG "<meta name=\"ac-discovery\" content=\"example.com https://s/{name}.{ext}\">"

static struct slice of(const char *text)
{
	return (struct slice){ (const uint8_t *)text, strlen(text) };
}

static struct page parsed(struct slice html)
{
	struct page page;

	page_parse(html, &page);
	if (page.fault)
		fail_msg("%s", page_fault_says(page.fault));
	return page;
}

static size_t count_in(const char *html)
{
	auto_page struct page page = parsed(of(html));

	for (size_t i = 0; i < page.count; i++)
		assert_int_equal(page.tags[i].fault, PAGE_IS_FINE);
	return page.count;
}

static void tags_come_in_order(void **state)
{
	auto_page struct page page = parsed(of(
		"<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>Images</title>\n"
		"<meta name=\"ac-discovery\" content=\"example.com/a https://s/{name}?a=1&amp;b=2\">\n"
		"<META CONTENT='\n example.com \t https://keys/  ' NAME='AC-Discovery-Pubkeys' />"
		"<link rel=stylesheet href=x><meta name=ac-discovery-other content='a b'>"
		"<meta name=\"viewport\" content=\"example.com https://s/\">"
		"</head><body><p>Hello</p></body></html>"));

	(void)state;
	assert_int_equal(page.count, 2);
	assert_int_equal(page.tags[0].kind, PAGE_DISCOVERY);
	assert_string_equal(page.tags[0].prefix, "example.com/a");
	assert_string_equal(page.tags[0].target, "https://s/{name}?a=1&b=2");
	assert_int_equal(page.tags[1].kind, PAGE_PUBKEYS);
	assert_string_equal(page.tags[1].prefix, "example.com");
	assert_string_equal(page.tags[1].target, "https://keys/");
	assert_int_equal(page.tags[1].fault, PAGE_IS_FINE);
}

static void pages_may_be_written_badly(void **state)
{
	(void)state;
	assert_int_equal(count_in(TAG), 1);
	assert_int_equal(count_in("<head>" TAG TAG), 2);
	assert_int_equal(count_in("<html>\n" TAG), 1);
	assert_int_equal(
		count_in("<html><head><title>x</title><bogus></bogus>" TAG "<body>" TAG), 1);
	assert_int_equal(count_in("\xef\xbb\xbf<!-- c --><head>" TAG), 1);
	assert_int_equal(count_in("<head><!-- \xff\xfe -->" TAG), 1);
	assert_int_equal(count_in("<?xml version='1.0' encoding='utf-16'?><html><head>" TAG), 1);
	assert_int_equal(count_in("<head><meta charset=utf-16>" TAG), 1);
	assert_int_equal(count_in(""), 0);
	assert_int_equal(count_in("plain words"), 0);
	assert_int_equal(count_in("{\"not\": \"html\"}"), 0);
	assert_int_equal(
		count_in("<head><meta name=ac-discovery content=\"example.com https://s/"), 0);
}

static void bytes_beyond_ascii_are_only_a_sign(void **state)
{
	static const char nul[] = "<head><!-- \0 --><meta name='\0'>" TAG;
	auto_page struct page page = parsed(
		of("<head><meta name=ac-discovery content='example.com https://s/\xc3\xa4\xff'>"));
	auto_page struct page by_number =
		parsed(of("<head><meta name=ac-discovery "
			  "content='example.com https://s/&#228;&#127;&#x202e;'>"));
	auto_page struct page with_nul =
		parsed((struct slice){ (const uint8_t *)nul, sizeof nul - 1 });

	(void)state;
	assert_string_equal(page.tags[0].target, "https://s/^^^");
	assert_string_equal(by_number.tags[0].target, "https://s/^^^^^^");
	assert_int_equal(with_nul.count, 1);
	/* "<meta" in UTF-7, which nobody reads but who believes the page */
	assert_int_equal(count_in("<meta charset=utf-7>+ADw-meta name=ac-discovery "
				  "content='example.com https://s/'>"),
		0);
}

/* The rest of a page may be what its readers wrote. */
static void only_the_head_speaks(void **state)
{
	static const char *const silent[] = {
		"<html><head></head><body>" TAG "</body></html>",
		"<body>" TAG,
		"<p>" TAG,
		"text" TAG,
		"<head></head>" TAG,
		"<div>" TAG "</div>",
		"<head><p>" TAG,
		"<head>words" TAG,
		"<head><!-- " TAG " --></head>",
		"<head><script>var a = '" TAG "';</script></head>",
		"<head><style>" TAG "</style></head>",
		"<head><title>" TAG "</title></head>",
		"<head><noscript>" TAG "</noscript></head>",
		"<frameset>" TAG "</frameset>",
		"<head></head><head>" TAG "</head>",
		"<html><head></head></html><html><head>" TAG,
		"<svg>" TAG "</svg>",
		"<head><template>" TAG "</template>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		auto_page struct page page = parsed(of(silent[i]));

		if (page.count)
			fail_msg("%s speaks", silent[i]);
	}
}

static void what_a_tag_does_not_say_is_told(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "no content" },
		{ "content", "no content" },
		{ "content=''", "not a prefix" },
		{ "content='example.com'", "not a prefix" },
		{ "content=' example.com '", "not a prefix" },
		{ "content='example.com https://s/ x'", "more than" },
		{ "content='Example.com https://s/'", "no name" },
		{ "content='example.com/ https://s/'", "no name" },
		{ "content='* https://s/'", "no name" },
		{ "content='ex\xc3\xa4mple.com https://s/'", "no name" },
		{ "content='example.com&#1; https://s/'", "not a prefix" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		auto_free char *html =
			xasprintf("<head><meta name=ac-discovery %s>" TAG, pairs[i][0]);
		auto_page struct page page = parsed(of(html));

		assert_int_equal(page.count, 2);
		assert_int_not_equal(page.tags[0].fault, PAGE_IS_FINE);
		assert_null(page.tags[0].prefix);
		assert_null(page.tags[0].target);
		if (!strstr(page_fault_says(page.tags[0].fault), pairs[i][1]))
			fail_msg("%s: %s", pairs[i][0], page_fault_says(page.tags[0].fault));
	}
}

static void assert_refused(struct buf *html, const char *words)
{
	struct page page;

	page_parse(buf_slice(html), &page);
	assert_int_equal(page.count, 0);
	if (!page.fault || !strstr(page_fault_says(page.fault), words))
		fail_msg("%s", page_fault_says(page.fault));
}

static void repeat(struct buf *html, const char *text, size_t until)
{
	while (html->len + strlen(text) <= until)
		buf_append_text(html, text);
}

static void pages_are_bounded(void **state)
{
	auto_buf struct buf many = { 0 }, large = { 0 };

	(void)state;
	for (size_t i = 0; i < PAGE_TAGS_MAX; i++)
		buf_append_text(&many, TAG);
	assert_int_equal(count_in(buf_text(&many)), PAGE_TAGS_MAX);
	buf_append_text(&many, TAG);
	assert_refused(&many, "more than 1000 tags");
	buf_append_text(&large, TAG);
	repeat(&large, "<!-- \xff -->", PAGE_SIZE_MAX / 2);
	repeat(&large, " ", PAGE_SIZE_MAX - strlen(TAG));
	buf_append_text(&large, TAG);
	assert_int_equal(large.len, PAGE_SIZE_MAX);
	assert_int_equal(count_in(buf_text(&large)), 2);
	buf_append_text(&large, " ");
	assert_refused(&large, "more than 1048576 bytes");
}

static void long_scripts_are_no_fault(void **state)
{
	auto_buf struct buf html = { 0 };

	(void)state;
	buf_append_text(&html, "<head><script><b");
	repeat(&html, "x", 200000);
	buf_append_text(&html, "</script><!--");
	repeat(&html, "x", 260000);
	buf_append_text(&html, "--><style><b");
	repeat(&html, "x", 600000);
	buf_append_text(&html, "</style>" TAG);
	assert_int_equal(count_in(buf_text(&html)), 1);
}

/* An image by its data in a URL, for one. */
static void what_follows_the_head_may_be_long(void **state)
{
	static const char *const heads[] = { "<head>" TAG "</head>", TAG "<body>" };
	auto_buf struct buf image = { 0 };

	(void)state;
	buf_append_text(&image, "<img src='data:image/png;base64,");
	repeat(&image, "x", 200000);
	buf_append_text(&image, "'>");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		auto_free char *html = xasprintf("%s%s", heads[i], buf_text(&image));

		assert_int_equal(count_in(html), 1);
	}
	assert_int_equal(count_in(buf_text(&image)), 0);
}

static double seconds(struct buf *html)
{
	struct timespec from, to;
	struct page page;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	page_parse(buf_slice(html), &page);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	page_free(&page);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* A megabyte that is made to take libxml2 minutes takes no second. */
static void no_page_takes_long(void **state)
{
	static const char *const pieces[][2] = {
		{ "<head>", "<b>" },
		{ "<body>", "<div>" },
		{ "<head><script>", "</x" },
		{ "<head><!--", "--" },
		{ "<head>", "<![CDATA[" },
		{ "<head>", "&lt" },
		{ "<head>", "<title></a>" },
		{ "<head>", "</head" },
		{ "<head>", "<meta name='" },
		{ "<head><meta x='", "&#x" },
		{ "", "<" },
		{ "<!DOCTYPE ", "'\"" },
		{ "<head>", "<?x" },
		{ "<head><style>", "<" },
		{ "<head>", "<link>" },
		{ "<head>", "<title>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		auto_buf struct buf html = { 0 };

		buf_append_text(&html, pieces[i][0]);
		repeat(&html, pieces[i][1], PAGE_SIZE_MAX);
		if (seconds(&html) > 3)
			fail_msg("%s %s... takes %g s", pieces[i][0], pieces[i][1], seconds(&html));
	}
}

static void tags_of_many_attributes_are_refused(void **state)
{
	auto_buf struct buf html = { 0 };

	(void)state;
	buf_append_text(&html, "<head><meta");
	for (int i = 0; html.len < PAGE_SIZE_MAX - 20; i++)
		buf_printf(&html, " a%x", (unsigned)i);
	buf_append_text(&html, ">");
	assert_true(seconds(&html) < 3);
	assert_refused(&html, "tag or comment of more than 64 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_come_in_order),
		cmocka_unit_test(pages_may_be_written_badly),
		cmocka_unit_test(bytes_beyond_ascii_are_only_a_sign),
		cmocka_unit_test(only_the_head_speaks),
		cmocka_unit_test(what_a_tag_does_not_say_is_told),
		cmocka_unit_test(pages_are_bounded),
		cmocka_unit_test(long_scripts_are_no_fault),
		cmocka_unit_test(what_follows_the_head_may_be_long),
		cmocka_unit_test(no_page_takes_long),
		cmocka_unit_test(tags_of_many_attributes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
