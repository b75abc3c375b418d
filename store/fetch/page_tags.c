/* What a page says: values, words, lines. */
#include "store/fetch/page_tags.h"

#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"

#define TEXT_OF(words) #words
#define TEXT(number)   TEXT_OF(number)

static const struct {
	const char *word, *says;
} faults[] = {
	[PAGE_IS_FINE] = { "", "nothing is wrong with it" },
	[PAGE_TAG_EMPTY] = { "empty", "it has no content" },
	[PAGE_TAG_SHORT] = { "short", "its content is not a prefix and a URL" },
	[PAGE_TAG_LONG] = { "long", "its content is more than a prefix and a URL" },
	[PAGE_TAG_PREFIX] = { "prefix", "its prefix is no name of an image" },
	[PAGE_TOO_LARGE] = { "large", "the page has more than " TEXT(PAGE_SIZE_MAX) " bytes" },
	[PAGE_TOO_MANY_TAGS] = { "tags",
		"the page has more than " TEXT(PAGE_TAGS_MAX) " tags about images" },
	[PAGE_LONG_SPAN] = { "span",
		"the page has a tag or comment of more than " TEXT(PAGE_SPAN_MAX_KIB) " KiB" },
};

static const char *const kinds[] = {
	[PAGE_DISCOVERY] = "discovery",
	[PAGE_PUBKEYS] = "pubkeys",
};

const char *page_fault_says(enum page_fault fault)
{
	return faults[fault].says;
}

void page_add(struct page *page, const struct page_tag *tag)
{
	page->tags = xreallocarray(page->tags, page->count + 1, sizeof *page->tags);
	page->tags[page->count++] = *tag;
}

static void tag_free(struct page_tag *tag)
{
	free(tag->prefix);
	free(tag->target);
}

void page_free(struct page *page)
{
	for (size_t i = 0; i < page->count; i++)
		tag_free(&page->tags[i]);
	free(page->tags);
	*page = (struct page){ 0 };
}

/* ---- printing -------------------------------------------------------------------------------- */

void page_print(const struct page *page, struct buf *out)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct page_tag *tag = &page->tags[i];

		if (tag->fault)
			buf_printf(out, "%s !%s\n", kinds[tag->kind], faults[tag->fault].word);
		else
			buf_printf(out, "%s %s %s\n", kinds[tag->kind], tag->prefix, tag->target);
	}
	if (page->fault)
		buf_printf(out, "end !%s\n", faults[page->fault].word);
	else
		buf_append_text(out, "end\n");
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Takes the next line off REST, without its end. NULL: there is none, or not only of printable
 * ASCII. */
static char *take_line(struct slice *rest)
{
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->data) : 0;
	const uint8_t *line = rest->data;

	if (!end)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return NULL;
	*rest = (struct slice){ end + 1, rest->len - len - 1 };
	return xmemdup(line, len);
}

/* "!WORD", the word of one of FIRST to LAST. */
static bool fault_read(
	const char *text, enum page_fault first, enum page_fault last, enum page_fault *ret)
{
	for (enum page_fault fault = first; *text == '!' && fault <= last; fault++) {
		if (strcmp(faults[fault].word, text + 1) == 0) {
			*ret = fault;
			return true;
		}
	}
	return false;
}

static bool kind_read(const char *text, enum page_tag_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], text) == 0) {
			*ret = (enum page_tag_kind)i;
			return true;
		}
	}
	return false;
}

/* LINE is cut into its words. */
static bool tag_read(char *line, struct page_tag *ret)
{
	char *rest = line, *kind = strsep(&rest, " "), *prefix = strsep(&rest, " ");
	struct page_tag tag = { 0 };

	if (!kind_read(kind, &tag.kind) || !prefix)
		return false;
	if (!rest) {
		if (!fault_read(prefix, PAGE_TAG_EMPTY, PAGE_TAG_PREFIX, &tag.fault))
			return false;
	} else {
		if (!ac_identifier_is(prefix, NULL) || !*rest || strchr(rest, ' '))
			return false;
		tag.prefix = xstrdup(prefix);
		tag.target = xstrdup(rest);
	}
	*ret = tag;
	return true;
}

static bool end_read(const char *line, enum page_fault *ret)
{
	if (strcmp(line, "end") == 0)
		return true;
	return strncmp(line, "end ", 4) == 0 &&
	       fault_read(line + 4, PAGE_TOO_LARGE, PAGE_LONG_SPAN, ret);
}

int page_read(struct slice answer, struct page *ret, rkt_error **err)
{
	auto_page struct page page = { 0 };
	struct slice rest = answer;

	for (;;) {
		auto_free char *line = take_line(&rest);
		struct page_tag tag;

		if (!line)
			return rkt_fail(
				err, RKT_FAILED, "line %zu is none or has no end", page.count + 1);
		if (end_read(line, &page.fault))
			break;
		if (page.count == PAGE_TAGS_MAX || !tag_read(line, &tag))
			return rkt_fail(err, RKT_FAILED, "line %zu is no tag", page.count + 1);
		page_add(&page, &tag);
	}
	if (rest.len || (page.fault && page.count))
		return rkt_fail(err, RKT_FAILED, "it has more than an end");
	*ret = page;
	page = (struct page){ 0 };
	return 0;
}
