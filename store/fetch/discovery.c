/* Pages, from a name upwards. */
#include "store/fetch/discovery.h"

#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/str.h"
#include "store/fetch/page_ask.h"

/* The name may be that of a dependency, and its host one that never asked for so much. */
#define PAGES_MAX 32

char *discovery_url(const char *name, unsigned level)
{
	auto_free char *part = xstrdup(name);

	while (level--) {
		char *slash = strrchr(part, '/');

		if (!slash)
			return NULL;
		*slash = '\0';
	}
	return xasprintf("https://%s?ac-discovery=1", part);
}

static int read_page(
	struct http *web, const char *url, struct tries *tries, struct page *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "discovery page", url);
	auto_buf struct buf html = { 0 };

	if (tries_get(web, url, PAGE_SIZE_MAX, tries, &html, err) < 0)
		return -1;
	return page_ask(buf_slice(&html), ret, err);
}

static bool has_tag(const struct page *page, enum page_tag_kind kind, const char *name)
{
	for (size_t i = 0; i < page->count; i++)
		if (page->tags[i].kind == kind && !page->tags[i].fault &&
			ac_identifier_has_prefix(name, page->tags[i].prefix))
			return true;
	return false;
}

/* Reads the page at URL, and fails when no tag of it is about NAME. */
static int read_page_about(struct http *web, const char *url, struct tries *tries, const char *name,
	enum page_tag_kind kind, struct page *ret, rkt_error **err)
{
	if (read_page(web, url, tries, ret, err) < 0)
		return -1;
	if (has_tag(ret, kind, name))
		return 0;
	page_free(ret);
	return rkt_fail(err, RKT_MISSING, "discovery page: %s: has no tag for %s", url, name);
}

int discovery_find(struct http *web, const char *name, enum page_tag_kind kind,
	struct discovery_step *step, struct page *ret, rkt_error **err)
{
	auto_error rkt_error *last = NULL;

	for (unsigned pages = 0; pages <= PAGES_MAX; pages++, step->level++) {
		auto_free char *url = discovery_url(name, step->level);
		auto_error rkt_error *why = NULL;

		if (!url)
			break;
		if (pages == PAGES_MAX)
			rkt_fail(&why, RKT_INVALID,
				"discovery page: %s: not asked for, after %d for the same name",
				url, PAGES_MAX);
		else if (read_page_about(web, url, &step->tries, name, kind, ret, &why) == 0)
			return 1;
		if (step->tell)
			step->tell(step->context, rkt_error_raw(why));
		rkt_error_free(last);
		last = pass_ptr(why);
	}
	if (last && rkt_error_kind(last) != RKT_MISSING)
		return rkt_fail_with(err, pass_ptr(last));
	return 0;
}
