/*
 * Asking the web where an image is (appc discovery.md): the discovery page of a name, else of what
 * the name lies below, up to its host.
 */
#pragma once

#include "store/fetch/page_tags.h"
#include "store/fetch/tries.h"

/* The path by which NAME is asked for: "https://NAME?ac-discovery=1", then without its last part,
 * and so on. LEVEL 0 is NAME itself. NULL: there are no more; else freed by the caller. */
char *discovery_url(const char *name, unsigned level);

struct discovery_step {
	unsigned level;
	struct tries tries; /* of all pages together: each is asked for once in any case */
	/* One line about each page that did not help, not escaped; may be NULL. */
	void (*tell)(void *context, const char *words);
	void *context;
};

/* Reads the nearest page at or above STEP->level that has a tag of KIND whose prefix covers NAME. 1
 * with *RET, which the caller frees, and STEP->level that of the page; 0: there is none, or -1: it
 * could not be found out, of what was asked last. After 32 pages no more are asked for. */
int discovery_find(struct http *web, const char *name, enum page_tag_kind kind,
	struct discovery_step *step, struct page *ret, rkt_error **err);
