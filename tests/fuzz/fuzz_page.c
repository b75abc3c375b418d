/*
 * Discovery pages under any bytes: libxml2, and what we make of it (S-030).
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <strings.h>

#include "aci/name.h"
#include "store/fetch/page.h"

/* Whether a tag could be there at all: its name stands there, or what could be characters of it by
 * number. */
static bool may_speak(struct slice html)
{
	static const char name[] = "ac-discovery";

	for (size_t i = 0; i < html.len; i++) {
		if (html.data[i] == '&' ||
			(html.len - i >= sizeof name - 1 && strncasecmp((const char *)html.data + i,
								    name, sizeof name - 1) == 0))
			return true;
	}
	return false;
}

static void check_tag(const struct page_tag *tag)
{
	PROMISE(tag->kind == PAGE_DISCOVERY || tag->kind == PAGE_PUBKEYS);
	PROMISE(!tag->fault == !!tag->prefix && !tag->fault == !!tag->target);
	if (tag->fault)
		return;
	PROMISE(ac_identifier_is(tag->prefix, NULL));
	PROMISE(*tag->target);
	for (const char *c = tag->target; *c; c++)
		PROMISE(*c > ' ' && *c < 0x7f);
}

/* Who reads what is printed of PAGE sees the same. */
static void check_print(const struct page *page)
{
	auto_buf struct buf text = { 0 }, again = { 0 };
	auto_page struct page seen = { 0 };

	page_print(page, &text);
	PROMISE(text.len <= PAGE_ANSWER_MAX);
	PROMISE(page_read(buf_slice(&text), &seen, NULL) == 0);
	page_print(&seen, &again);
	PROMISE(again.len == text.len && memcmp(again.data, text.data, text.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice html = { data, size };
	struct page page;

	page_parse(html, &page);
	PROMISE(!page.fault || !page.tags);
	PROMISE(page.count <= PAGE_TAGS_MAX);
	PROMISE(!page.count || may_speak(html));
	for (size_t i = 0; i < page.count; i++)
		check_tag(&page.tags[i]);
	check_print(&page);
	page_free(&page);
	return 0;
}
