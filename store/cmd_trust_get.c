/* rkt-store trust: keys from the web. */
#include "store/cmd_trust.h"

#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/str.h"
#include "cli/out.h"
#include "cli/secret.h"
#include "config/auth.h"
#include "store/fetch/discovery.h"
#include "store/fetch/template.h"

bool trust_is_url(const char *word)
{
	return strstr(word, "://") && !str_has_prefix(word, "/") && !str_has_prefix(word, "./") &&
	       !str_has_prefix(word, "../");
}

/* Who asks, with what the configuration and the settings say. AUTH is filled in, and freed by the
 * caller after the handle. */
static http *open_web(
	const struct trust_settings *settings, struct config_auth *auth, rkt_error **err)
{
	const struct http_options options = { .cacert = cmd_cacert(settings->cacert),
		.allow_http = settings->allow_http,
		.http_hint = "--insecure-allow-http, and compare the fingerprint",
		.auth = auth };

	secret_close_memory();
	if (config_auth_read(auth, err) < 0 || http_check_files(&options, err) < 0)
		return NULL;
	return http_new(&options);
}

/* ---- a file ---------------------------------------------------------------------------------- */

static void tell(void *context, const char *words)
{
	(void)context;
	out_note("%s", words);
}

/* Somebody sits there and waits: a host that cannot be reached is told at once. */
static struct tries tries(void)
{
	struct tries usual = tries_usual(tell, NULL);

	usual.of_answers = true;
	return usual;
}

int trust_get_url(
	const struct trust_settings *settings, const char *url, struct buf *ret, rkt_error **err)
{
	auto_config_auth struct config_auth auth = { 0 };
	auto_http http *web = open_web(settings, &auth, err);
	struct tries all = tries();

	return web ? tries_get(web, url, KEYS_FILE_MAX, &all, ret, err) : -1;
}

/* ---- where they are -------------------------------------------------------------------------- */

/* What each page that did not help was about, for the one sentence at the end. */
static void note_page(void *context, const char *words)
{
	struct buf *tried = context;

	buf_printf(tried, "%s%s", tried->len ? "; " : "", words);
}

/* Tags for several prefixes may name one key: nobody is to be asked about it twice. */
static void add_url(struct names *urls, const char *url)
{
	for (size_t i = 0; i < urls->count; i++)
		if (strcmp(urls->items[i], url) == 0)
			return;
	names_add(urls, xstrdup(url));
}

static void add_urls(struct names *urls, const struct page *page, const char *name)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct page_tag *tag = &page->tags[i];

		if (tag->kind == PAGE_PUBKEYS && !tag->fault &&
			ac_identifier_has_prefix(name, tag->prefix) && !url_fault(tag->target))
			add_url(urls, tag->target);
	}
}

int trust_find(const struct trust_settings *settings, struct names *ret, rkt_error **err)
{
	auto_config_auth struct config_auth auth = { 0 };
	auto_http http *web = open_web(settings, &auth, err);
	auto_buf struct buf tried = { 0 };
	struct discovery_step step = { .tries = tries(), .tell = note_page, .context = &tried };
	auto_page struct page page = { 0 };

	if (!web || discovery_find(web, settings->prefix, PAGE_PUBKEYS, &step, &page, err) < 0)
		return -1;
	add_urls(ret, &page, settings->prefix);
	if (ret->count)
		return 0;
	return rkt_fail(err, RKT_MISSING, "the web names no key for %s: %s", settings->prefix,
		tried.len ? buf_text(&tried) : "its URL is none");
}
