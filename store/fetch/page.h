/*
 * Finding the <meta> tags of an HTML page that speak to us (appc discovery.md, S-030).
 *
 *	<meta name="ac-discovery" content="PREFIX TEMPLATE">
 *	<meta name="ac-discovery-pubkeys" content="PREFIX URL">
 *
 * Read by libxml2's HTML parser, which is given bytes and asks for nothing: no network, no files,
 * no entities but HTML's own. Only what stands in <head> itself counts, as with Go's import paths:
 * the rest of a page may be what its readers wrote.
 *
 * Only rkt-read-page parses pages: a program that holds secrets asks it (page_ask.h).
 */
#pragma once

#include "store/fetch/page_tags.h"

/* Prepares what the parser needs in every process once, so that page_parse() asks the kernel for
 * memory and nothing else. */
void page_prepare(void);

/* Finds the tags of both kinds in HTML; a page without any has no fault. Bytes of a target beyond
 * ASCII and control characters become "^", which no URL has. *RET is freed by the caller. Time and
 * memory are bounded by PAGE_SIZE_MAX, PAGE_TAGS_MAX and PAGE_SPAN_MAX_KIB. */
void page_parse(struct slice html, struct page *ret);
