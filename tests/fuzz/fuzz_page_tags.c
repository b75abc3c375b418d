/*
 * What who reads pages for us answers, under any bytes: what is read is printed as it was (S-030).
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "aci/name.h"
#include "store/fetch/page_tags.h"

static void check_tag(const struct page_tag *tag)
{
	PROMISE(!tag->fault == !!tag->prefix && !tag->fault == !!tag->target);
	PROMISE(tag->fault <= PAGE_TAG_PREFIX);
	PROMISE(tag->fault || ac_identifier_is(tag->prefix, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_error rkt_error *err = NULL;
	auto_page struct page page = { 0 };
	auto_buf struct buf again = { 0 };

	if (page_read((struct slice){ data, size }, &page, &err) < 0) {
		PROMISE(err && !page.tags);
		return 0;
	}
	PROMISE(page.count <= PAGE_TAGS_MAX && (!page.fault || !page.count));
	for (size_t i = 0; i < page.count; i++)
		check_tag(&page.tags[i]);
	page_print(&page, &again);
	PROMISE(again.len == size && memcmp(again.data, data, size) == 0);
	return 0;
}
