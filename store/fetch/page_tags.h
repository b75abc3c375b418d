/*
 * What a discovery page says of images (appc discovery.md, S-030), and the lines by which
 * rkt-read-page, which reads pages, tells it to who asked:
 *
 *	answer = *tag end
 *	tag    = kind SP (prefix SP target / "!" fault) LF
 *	kind   = "discovery" / "pubkeys"
 *	end    = "end" [SP "!" fault] LF
 *
 * Tags stand in the order of the page; faults are the words of a table; a page with a fault has no
 * tags. What has no end was cut off.
 */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#define PAGE_SIZE_MAX     1048576 /* bytes */
#define PAGE_TAGS_MAX     1000
#define PAGE_SPAN_MAX_KIB 64 /* of one tag or comment in the head */

/* An answer has no more bytes: what a page says is not longer than the page. */
#define PAGE_ANSWER_MAX (PAGE_SIZE_MAX + 64 * 1024)

enum page_tag_kind {
	PAGE_DISCOVERY, /* a template of URLs of images */
	PAGE_PUBKEYS,   /* a URL of keys */
};

enum page_fault {
	PAGE_IS_FINE,
	/* why a tag says nothing */
	PAGE_TAG_EMPTY,
	PAGE_TAG_SHORT,
	PAGE_TAG_LONG,
	PAGE_TAG_PREFIX,
	/* why a page does not */
	PAGE_TOO_LARGE,
	PAGE_TOO_MANY_TAGS,
	PAGE_LONG_SPAN,
};

/* One sentence, constant. */
const char *page_fault_says(enum page_fault fault);

struct page_tag {
	enum page_tag_kind kind;
	enum page_fault fault;
	char *prefix; /* an AC Identifier; NULL where there is a fault */
	char *target; /* the template or URL, not looked at, but all of it is of '!' to '~'; NULL
			 where there is a fault */
};

struct page {
	struct page_tag *tags; /* in the order of the page */
	size_t count;
	enum page_fault fault; /* there are no tags then */
};

/* Takes over what TAG holds. */
void page_add(struct page *page, const struct page_tag *tag);
void page_free(struct page *page);

void page_print(const struct page *page, struct buf *out);
/* Reads what page_print() printed, and nothing else: the bytes are a stranger's. RKT_FAILED: they
 * are no answer; *RET is freed by the caller when 0 was returned. */
int page_read(struct slice answer, struct page *ret, rkt_error **err);

#define auto_page __attribute__((cleanup(page_free)))
