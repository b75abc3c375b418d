/*
 * Discovery pages: the <meta> tags of an HTML page that speak to us (appc discovery.md, S-030).
 *
 *	<meta name="ac-discovery" content="PREFIX TEMPLATE">
 *	<meta name="ac-discovery-pubkeys" content="PREFIX URL">
 *
 * Read by libxml2's HTML parser, which is given bytes and asks for nothing: no network, no files,
 * no entities but HTML's own. Only what stands in <head> itself counts, as with Go's import paths:
 * the rest of a page may be what its readers wrote.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define PAGE_SIZE_MAX (1024u * 1024)
#define PAGE_TAGS_MAX 1000

enum page_tag_kind {
	PAGE_DISCOVERY, /* a template of URLs of images */
	PAGE_PUBKEYS,   /* a URL of keys */
};

struct page_tag {
	enum page_tag_kind kind;
	char *prefix;      /* an AC Identifier; NULL where there is a fault */
	char *target;      /* the template or URL, not looked at, but bytes beyond ASCII and control
			 characters are "^", which no URL has, however the page writes them;
			 NULL where there is a fault */
	const char *fault; /* NULL, or a constant sentence on why the tag says nothing */
};

struct page {
	struct page_tag *tags; /* in the order of the page */
	size_t count;
};

/* Finds the tags of both kinds in HTML; a page without any is no error. RKT_INVALID: more than
 * PAGE_SIZE_MAX bytes or PAGE_TAGS_MAX tags, or a tag or comment in the head beyond 64 KiB. *RET is
 * freed by the caller when 0 was returned. Time and memory are bounded by these limits. */
int page_parse(struct slice html, struct page *ret, rkt_error **err);
void page_free(struct page *page);

#define auto_page __attribute__((cleanup(page_free)))
