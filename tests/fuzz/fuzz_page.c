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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_error rkt_error *err = NULL;
	struct slice html = { data, size };
	struct page page = { 0 };

	if (page_parse(html, &page, &err) < 0) {
		promise_invalid(err);
		PROMISE(!page.tags);
		return 0;
	}
	PROMISE(page.count <= PAGE_TAGS_MAX);
	PROMISE(!page.count || may_speak(html));
	for (size_t i = 0; i < page.count; i++)
		check_tag(&page.tags[i]);
	page_free(&page);
	return 0;
}
