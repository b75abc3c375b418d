/* The lines that say what a page says: what a stranger may print, and what he may not (S-030). */
#include "tests/unit/scratch.h"

#include "base/alloc.h"
#include "store/fetch/page_tags.h"

static int read_text(const char *text, size_t len, struct page *ret, rkt_error **err)
{
	return page_read((struct slice){ (const uint8_t *)text, len }, ret, err);
}

static void what_is_printed_is_read(void **state)
{
	static const char text[] = "discovery example.com/a https://s/{name}?a=1&b=2\n"
				   "pubkeys example.com !\n"
				   "discovery !empty\n"
				   "pubkeys !short\n"
				   "discovery !long\n"
				   "discovery !prefix\n"
				   "end\n";
	auto_page struct page page = { 0 };
	auto_buf struct buf printed = { 0 };
	rkt_error *err = NULL;

	(void)state;
	assert_ok(read_text(text, strlen(text), &page, &err), err);
	assert_int_equal(page.fault, PAGE_IS_FINE);
	assert_int_equal(page.count, 6);
	assert_int_equal(page.tags[0].kind, PAGE_DISCOVERY);
	assert_int_equal(page.tags[0].fault, PAGE_IS_FINE);
	assert_string_equal(page.tags[0].prefix, "example.com/a");
	assert_string_equal(page.tags[0].target, "https://s/{name}?a=1&b=2");
	assert_int_equal(page.tags[1].kind, PAGE_PUBKEYS);
	assert_string_equal(page.tags[1].target, "!");
	assert_int_equal(page.tags[2].fault, PAGE_TAG_EMPTY);
	assert_int_equal(page.tags[3].fault, PAGE_TAG_SHORT);
	assert_int_equal(page.tags[4].fault, PAGE_TAG_LONG);
	assert_int_equal(page.tags[5].fault, PAGE_TAG_PREFIX);
	assert_null(page.tags[5].prefix);
	page_print(&page, &printed);
	assert_string_equal(buf_text(&printed), text);
}

static void pages_with_faults_have_no_tags(void **state)
{
	for (enum page_fault fault = PAGE_TOO_LARGE; fault <= PAGE_LONG_SPAN; fault++) {
		const struct page printed = { .fault = fault };
		auto_page struct page page = { 0 };
		auto_buf struct buf text = { 0 };
		rkt_error *err = NULL;

		page_print(&printed, &text);
		assert_ok(page_read(buf_slice(&text), &page, &err), err);
		assert_int_equal(page.fault, fault);
		assert_int_equal(page.count, 0);
	}
	(void)state;
}

static void nothing_else_is_read(void **state)
{
#define TAG "discovery example.com https://s/\n"
	static const char *const texts[] = { "", "\n", "end", "\nend\n", "end\n\n", "end\nend\n",
		"end \n", "end !\n", "end !short\n", "end !nonsense\n", "end large\n", "END\n",
		" end\n", "end\r\n", TAG, TAG "end", TAG "end !tags\n", "end\n" TAG, TAG "\nend\n",
		"discovery\nend\n", "discovery \nend\n", "discovery !\nend\n",
		"discovery !large\nend\n", "discovery !empty \nend\n",
		"discovery !empty https://s/\nend\n", "discovery empty\nend\n",
		"discovery example.com\nend\n", "discovery example.com \nend\n",
		"discovery  example.com https://s/\nend\n",
		"discovery example.com  https://s/\nend\n",
		"discovery example.com https://s/ \nend\n",
		"discovery example.com https://s/ x\nend\n",
		"discovery Example.com https://s/\nend\n", "discovery -- https://s/\nend\n",
		"discovery * https://s/\nend\n", "discovery example.com https://s/\xc3\xa4\nend\n",
		"discovery example.com https://s/\x1b[m\nend\n",
		"discovery example.com https://s/\x7f\nend\n",
		"discovery example.com\thttps://s/\nend\n", "keys example.com https://s/\nend\n",
		" example.com https://s/\nend\n", "<html></html>\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_error rkt_error *err = NULL;
		struct page page;

		if (read_text(texts[i], strlen(texts[i]), &page, &err) == 0)
			fail_msg("%s is read", texts[i]);
		assert_int_equal(rkt_error_kind(err), RKT_FAILED);
	}
}

static void a_nul_ends_nothing(void **state)
{
	static const char text[] = "discovery example.com https://s/\0\nend\n", end[] = "end\0\n";
	struct page page;

	(void)state;
	assert_int_equal(read_text(text, sizeof text - 1, &page, NULL), -1);
	assert_int_equal(read_text(end, sizeof end - 1, &page, NULL), -1);
}

static void tags_are_counted(void **state)
{
	auto_buf struct buf text = { 0 };
	auto_page struct page page = { 0 };
	rkt_error *err = NULL;
	size_t len;

	(void)state;
	for (size_t i = 0; i < PAGE_TAGS_MAX; i++)
		buf_append_text(&text, TAG);
	len = text.len;
	buf_append_text(&text, "end\n");
	assert_ok(page_read(buf_slice(&text), &page, &err), err);
	assert_int_equal(page.count, PAGE_TAGS_MAX);
	text.len = len;
	buf_append_text(&text, TAG "end\n");
	page_free(&page);
	assert_int_equal(page_read(buf_slice(&text), &page, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_read),
		cmocka_unit_test(pages_with_faults_have_no_tags),
		cmocka_unit_test(nothing_else_is_read),
		cmocka_unit_test(a_nul_ends_nothing),
		cmocka_unit_test(tags_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
