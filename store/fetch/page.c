/*
 * Finding meta tags while libxml2 parses.
 *
 * The parser asks for the page in small pieces, and gets no more of them when the head has ended:
 * what comes after it costs nothing, however deep it is nested. Before that a tag may not be longer
 * than SPAN_MAX, because libxml2 compares every attribute of a tag with all others.
 */
#include "store/fetch/page.h"

#include <string.h>
#include <strings.h>

#include <libxml/HTMLparser.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/str.h"

#define PIECE     4096
#define SPAN_MAX  (PAGE_SPAN_MAX_KIB * 1024)
#define DEPTH_MAX 64
/* Stands for what is in no URL. */
#define NO_URL '^'
/* What HTML takes as space. */
#define SPACE " \t\n\f\r"

struct reading {
	struct slice html;
	size_t at;      /* how much of it was read */
	size_t given;   /* bytes that the parser got */
	size_t told_at; /* GIVEN when the parser last told us of something */
	bool was_space; /* the last byte it got */
	struct page page;
	unsigned depth;  /* of the elements that are open */
	bool is_in_head; /* <html><head> are, whether the page wrote them or not */
	bool is_done;    /* the head has ended: nothing that follows is looked at */
};

/* ---- tags ------------------------------------------------------------------------------------ */

static const char *attribute(const xmlChar **pairs, const char *name)
{
	for (; pairs && pairs[0]; pairs += 2) {
		if (strcasecmp((const char *)pairs[0], name) == 0)
			return (const char *)pairs[1];
	}
	return NULL;
}

/* What a reference like &#228; stands for has not gone through only_ascii(). */
static char *printable_copy(const char *text, size_t len)
{
	char *copy = xmemdup(text, len);

	for (size_t i = 0; i < len; i++)
		if (copy[i] <= ' ' || copy[i] >= 0x7f)
			copy[i] = NO_URL;
	return copy;
}

/* Two words with space between. */
static enum page_fault split(const char *content, char **ret_prefix, char **ret_target)
{
	const char *prefix = content + strspn(content, SPACE), *target;
	size_t prefix_len = strcspn(prefix, SPACE), target_len;
	auto_free char *name = xmemdup(prefix, prefix_len);

	target = prefix + prefix_len + strspn(prefix + prefix_len, SPACE);
	target_len = strcspn(target, SPACE);
	if (!prefix_len || !target_len)
		return PAGE_TAG_SHORT;
	if (target[target_len + strspn(target + target_len, SPACE)])
		return PAGE_TAG_LONG;
	if (!ac_identifier_is(name, NULL))
		return PAGE_TAG_PREFIX;
	*ret_prefix = pass_ptr(name);
	*ret_target = printable_copy(target, target_len);
	return PAGE_IS_FINE;
}

static void end_with(struct reading *self, enum page_fault fault)
{
	self->is_done = true;
	self->page.fault = fault;
}

static void take_meta(struct reading *self, const xmlChar **attributes)
{
	const char *name = attribute(attributes, "name");
	const char *content = attribute(attributes, "content");
	struct page_tag tag = { 0 };

	if (name && strcasecmp(name, "ac-discovery") == 0)
		tag.kind = PAGE_DISCOVERY;
	else if (name && strcasecmp(name, "ac-discovery-pubkeys") == 0)
		tag.kind = PAGE_PUBKEYS;
	else
		return;
	if (self->page.count == PAGE_TAGS_MAX) {
		end_with(self, PAGE_TOO_MANY_TAGS);
		return;
	}
	tag.fault = content ? split(content, &tag.prefix, &tag.target) : PAGE_TAG_EMPTY;
	page_add(&self->page, &tag);
}

/* ---- what the parser calls ------------------------------------------------------------------- */

static void element_starts(void *context, const xmlChar *name, const xmlChar **attributes)
{
	struct reading *self = context;
	const char *tag = (const char *)name;

	self->told_at = self->given;
	if (self->is_done)
		return;
	if (self->depth == 1 && strcmp(tag, "head") == 0)
		self->is_in_head = true;
	else if (self->depth == 2 && self->is_in_head && strcmp(tag, "meta") == 0)
		take_meta(self, attributes);
	else if (strcmp(tag, "body") == 0)
		self->is_done = true;
	if (++self->depth > DEPTH_MAX) /* no head is like that */
		self->is_done = true;
}

static void element_ends(void *context, const xmlChar *name)
{
	struct reading *self = context;

	self->told_at = self->given;
	if (self->depth)
		self->depth--;
	if (self->is_in_head && strcmp((const char *)name, "head") == 0)
		self->is_done = true;
}

/* ---- the parser ------------------------------------------------------------------------------ */

static void text_comes(void *context, const xmlChar *text, int len)
{
	struct reading *self = context;

	(void)text;
	(void)len;
	self->told_at = self->given;
}

static void comment_comes(void *context, const xmlChar *text)
{
	text_comes(context, text, 0);
}

/* Everything that can mean something to us is ASCII. The parser gets other bytes as a sign that is
 * in no name and no URL, so that it has nothing to guess: no encoding, and no faults in one. */
static char only_ascii(uint8_t byte)
{
	bool is_plain = (byte >= ' ' && byte < 0x7f) || (byte && strchr(SPACE, byte));

	return is_plain ? (char)byte : NO_URL;
}

/* The parser asks for more. What it has told us of by now bounds the length of what it is at. Of
 * several spaces it gets one: a thousand in a row are words to libxml2, and words end the head. */
static int read_more(void *context, char *into, int room)
{
	struct reading *self = context;
	int len = 0;

	if (self->given - self->told_at > SPAN_MAX)
		end_with(self, PAGE_LONG_SPAN);
	if (self->is_done)
		return 0;
	while (len < room && len < PIECE && self->at < self->html.len) {
		char c = only_ascii(self->html.data[self->at++]);
		bool is_space = strchr(SPACE, c);

		if (!is_space || !self->was_space)
			into[len++] = c;
		self->was_space = is_space;
	}
	self->given += (size_t)len;
	return len;
}

void page_prepare(void)
{
	xmlInitParser();
}

static void run_parser(struct reading *reading)
{
	static const xmlSAXHandler handlers = {
		.startElement = element_starts,
		.endElement = element_ends,
		.characters = text_comes,
		.comment = comment_comes,
	};
	htmlParserCtxtPtr parser;

	page_prepare();
	parser = htmlNewParserCtxt();
	if (!parser)
		abort(); /* memory, as everywhere */
	*parser->sax = handlers;
	parser->userData = reading;
	xmlFreeDoc(htmlCtxtReadIO(parser, read_more, NULL, reading, NULL, "UTF-8",
		HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
			HTML_PARSE_IGNORE_ENC));
	htmlFreeParserCtxt(parser);
}

/* Without the mark of UTF-8, and without what follows the last '>': a tag that has not ended says
 * nothing, but libxml2 would show us the half of it. */
static struct slice whole_tags(struct slice html)
{
	const uint8_t *end;

	if (html.len >= 3 && memcmp(html.data, "\xef\xbb\xbf", 3) == 0)
		html = (struct slice){ html.data + 3, html.len - 3 };
	end = html.len ? memrchr(html.data, '>', html.len) : NULL;

	return (struct slice){ html.data, end ? (size_t)(end + 1 - html.data) : 0 };
}

void page_parse(struct slice html, struct page *ret)
{
	struct reading reading = { .html = whole_tags(html) };
	enum page_fault fault = PAGE_TOO_LARGE;

	if (html.len <= PAGE_SIZE_MAX) {
		run_parser(&reading);
		fault = reading.page.fault;
	}
	if (fault)
		page_free(&reading.page);
	*ret = reading.page;
	ret->fault = fault;
}
