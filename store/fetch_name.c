/* Names: the store, then the places that the web names for them, each of which is tried. */
#include "store/fetch_parts.h"

#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/names.h"
#include "store/fetch/discovery.h"
#include "store/fetch/template.h"
#include "store/reference.h"

/* A page may name hosts that never asked for it. */
#define PLACES_MAX 32

struct search {
	fetcher *fetcher;
	const char *reference; /* as it was typed */
	struct wanted wanted;  /* the same with os and arch */
	struct fetched *ret;
	struct names urls; /* of images, that were asked for */
	struct buf tried;  /* what was tried and why that was nothing, "; " between */
	enum rkt_error_kind worst;
};

static void note(struct search *self, const char *words)
{
	buf_printf(&self->tried, "%s%s", self->tried.len ? "; " : "", words);
}

static void note_page(void *context, const char *words)
{
	note(context, words);
}

/* How bad it is when all failed: an image that is there and must not be taken is worse than
 * none. */
static bool is_worse(enum rkt_error_kind one, enum rkt_error_kind other)
{
	static const int rank[] = { [RKT_MISSING] = 1,
		[RKT_FAILED] = 2,
		[RKT_USAGE] = 3,
		[RKT_INVALID] = 4,
		[RKT_UNTRUSTED] = 5 };

	return rank[one] > rank[other];
}

/* Whether URL was asked for already: two templates may give the same. */
static bool was_tried(struct search *self, const char *url)
{
	for (size_t i = 0; i < self->urls.count; i++)
		if (strcmp(self->urls.items[i], url) == 0)
			return true;
	names_add(&self->urls, xstrdup(url));
	return false;
}

/* Tries the place that TEMPLATE gives: 1 when the image is there, 0 when it is not, for a reason
 * that was noted. */
static int try_template(struct search *self, const char *template)
{
	const char *fault = NULL;
	auto_free char *image = template_expand(template, &self->wanted, TEMPLATE_IMAGE, &fault);
	auto_free char *signature =
		image ? template_expand(template, &self->wanted, TEMPLATE_SIGNATURE, &fault) : NULL;
	const struct fetch_place place = { .url = image,
		.signature_url = signature,
		.wanted = self->reference,
		.may_be_nothing = true };
	auto_free char *words = NULL;
	auto_error rkt_error *why = NULL;

	if (!signature) {
		words = xasprintf("template %s: %s", template, fault);
		note(self, words);
		return 0;
	}
	if (was_tried(self, image))
		return 0;
	fetched_free(self->ret);
	if (fetch_url(self->fetcher, &place, self->ret, &why) == 0)
		return 1;
	note(self, rkt_error_raw(why));
	if (is_worse(rkt_error_kind(why), self->worst))
		self->worst = rkt_error_kind(why);
	return 0;
}

static int try_page(struct search *self, const struct page *page)
{
	unsigned places = 0;

	for (size_t i = 0; i < page->count; i++) {
		const struct page_tag *tag = &page->tags[i];

		if (tag->kind != PAGE_DISCOVERY || tag->fault ||
			!ac_identifier_has_prefix(self->wanted.name, tag->prefix))
			continue;
		if (places++ == PLACES_MAX) {
			note(self, "the page names more places, which nobody asked");
			return 0;
		}
		if (try_template(self, tag->target))
			return 1;
	}
	return 0;
}

/* Simple discovery, then the tags of the nearest page that has some: 1, 0, or -1. */
static int search(struct search *self)
{
	struct discovery_step step = {
		.tries = fetch_tries(self->fetcher), .tell = note_page, .context = self
	};
	auto_page struct page page = { NULL, 0 };
	auto_error rkt_error *why = NULL;
	int got;

	if (try_template(self, TEMPLATE_SIMPLE))
		return 1;
	step.tries.of_answers = true; /* the simple way has tried often enough to reach the host */
	got = discovery_find(
		self->fetcher->web, self->wanted.name, PAGE_DISCOVERY, &step, &page, &why);
	if (got < 0 && is_worse(rkt_error_kind(why), self->worst))
		self->worst = rkt_error_kind(why);
	return got > 0 ? try_page(self, &page) : 0;
}

static int ask_web(fetcher *self, const char *reference, const struct reference *asked,
	struct fetched *ret, rkt_error **err)
{
	struct search all = {
		.fetcher = self, .reference = reference, .ret = ret, .worst = RKT_MISSING
	};
	int result = 0;

	if (wanted_make(asked->name, asked->labels, asked->label_count, &all.wanted, err) < 0)
		return -1;
	if (!search(&all))
		result = rkt_fail(err, all.worst, "it was not found: %s", buf_text(&all.tried));
	buf_free(&all.tried);
	names_free(&all.urls);
	wanted_free(&all.wanted);
	return result;
}

/* What the store has: 1, 0, also when it is not signed as it must be, or -1. */
static int find_here(fetcher *self, const char *reference, bool *ret_untrusted, struct fetched *ret,
	rkt_error **err)
{
	auto_image_record rkt_image_record *record = NULL;
	auto_error rkt_error *why = NULL;

	if (rkt_store_find(self->all->store, reference, &record, &why) < 0)
		return rkt_error_kind(why) == RKT_MISSING ? 0 : rkt_fail_with(err, pass_ptr(why));
	*ret_untrusted = !signature_is_known(self->all, &record->id, NULL);
	if (*ret_untrusted)
		return 0;
	ret->id = record->id;
	ret->how = FETCH_WAS_THERE;
	return 1;
}

int fetch_name(fetcher *self, const char *reference, struct fetched *ret, rkt_error **err)
{
	auto_reference struct reference asked = { 0 };
	bool untrusted = false;
	int here = 0;

	if (reference_parse(reference, &asked, err) < 0)
		return -1;
	if (self->all->policy != FETCH_UPDATE)
		here = find_here(self, reference, &untrusted, ret, err);
	if (here)
		return here < 0 ? -1 : 0;
	if (self->all->policy == FETCH_NEVER)
		return fetch_fail_never(reference, untrusted, err);
	return ask_web(self, reference, &asked, ret, err);
}
