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

struct reading {
	struct buf html;
};

static int take(void *context, struct slice bytes, rkt_error **err)
{
	struct reading *self = context;

	(void)err;
	buf_append(&self->html, bytes.data, bytes.len);
	return 0;
}

static int read_page(struct http *web, const char *url, struct page *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "discovery page", url);
	auto_http_answer struct http_answer answer = { .length = -1 };
	struct reading reading = { { 0 } };
	const struct http_request request = {
		.url = url, .max_bytes = PAGE_SIZE_MAX, .body = take, .context = &reading
	};
	int result = http_get(web, &request, &answer, err);
	bool is_missing = answer.status == 404 || answer.status == 410;

	if (result == 0 && answer.status != 200)
		result = rkt_fail(err, is_missing ? RKT_MISSING : RKT_FAILED,
			"the server answered %d", answer.status);
	if (result == 0)
		result = page_ask(buf_slice(&reading.html), ret, err);
	buf_free(&reading.html);
	return result;
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
static int read_page_about(struct http *web, const char *url, const char *name,
	enum page_tag_kind kind, struct page *ret, rkt_error **err)
{
	if (read_page(web, url, ret, err) < 0)
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
		else if (read_page_about(web, url, name, kind, ret, &why) == 0)
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
