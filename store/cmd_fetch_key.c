/*
 * rkt-fetch-key: keys from the web, for rkt-store trust, which does without libcurl. Not for
 * people. Prints the file at the URL that standard input is (arguments are for everybody to see,
 * S-029) as it is, or, with --find, where the keys for images of that name are (appc discovery.md):
 * a JSON array of URLs, those of the nearest page that has some. When it cannot it prints {"error": TEXT}, and the exit status is the error's
 * kind.
 */
#include "store/cmd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "cli/out.h"
#include "config/auth.h"
#include "store/cmd_secret.h"
#include "store/fetch/discovery.h"
#include "store/fetch/template.h"
#include "store/trust/keys.h"

#define WORD_MAX (16u * 1024)

struct key_settings {
	const char *cacert;
	bool find, allow_http;
};

/* ---- a file ---------------------------------------------------------------------------------- */

static int take(void *context, struct slice bytes, rkt_error **err)
{
	(void)err;
	buf_append(context, bytes.data, bytes.len);
	return 0;
}

static int get(struct http *web, const char *url, rkt_error **err)
{
	auto_http_answer struct http_answer answer = { .length = -1 };
	auto_buf struct buf key = { 0 };
	const struct http_request request = {
		.url = url, .max_bytes = KEYS_FILE_MAX, .body = take, .context = &key
	};

	if (http_get(web, &request, &answer, err) < 0)
		return -1;
	if (answer.status != 200)
		return rkt_fail(err,
			answer.status == 404 || answer.status == 410 ? RKT_MISSING : RKT_FAILED,
			"the server answered %d", answer.status);
	if (key.len)
		fwrite(key.data, 1, key.len, stdout);
	return 0;
}

/* ---- where they are -------------------------------------------------------------------------- */

/* What each page that did not help was about, for the one sentence at the end. */
static void note_page(void *context, const char *words)
{
	struct buf *tried = context;

	buf_printf(tried, "%s%s", tried->len ? "; " : "", words);
}

static json *urls_for(const struct page *page, const char *name)
{
	json *urls = json_new_array();

	for (size_t i = 0; i < page->count; i++) {
		const struct page_tag *tag = &page->tags[i];

		if (tag->kind == PAGE_PUBKEYS && !tag->fault &&
			ac_identifier_has_prefix(name, tag->prefix) && !url_fault(tag->target))
			json_append(urls, json_new_string(tag->target));
	}
	return urls;
}

static int find(struct http *web, const char *name, rkt_error **err)
{
	auto_buf struct buf tried = { 0 };
	struct discovery_step step = { .tell = note_page, .context = &tried };
	auto_page struct page page = { 0 };
	auto_json json *urls = NULL;
	int found = discovery_find(web, name, PAGE_PUBKEYS, &step, &page, err);

	if (found < 0)
		return -1;
	urls = urls_for(&page, name);
	if (!json_count(urls))
		return rkt_fail(err, RKT_MISSING, "the web names no key for %s: %s", name,
			tried.len ? buf_text(&tried) : "its URL is none");
	out_json(urls);
	return 0;
}

/* ---- the program ----------------------------------------------------------------------------- */

static void print_error(rkt_error *why)
{
	auto_json json *answer = json_new_object();

	json_set(answer, "error", json_new_string(rkt_error_message(why)));
	out_json(answer);
}

static int work(const struct key_settings *settings, rkt_error **err)
{
	auto_buf struct buf text = { 0 };
	const char *what;
	auto_config_auth struct config_auth auth = { 0 };
	struct http_options options = { .cacert = cmd_cacert(settings->cacert),
		.allow_http = settings->allow_http,
		.http_hint = "--insecure-allow-http, and compare the fingerprint",
		.auth = &auth };
	auto_http http *web = NULL;

	if (fd_read_rest(STDIN_FILENO, WORD_MAX, &text, err) < 0 ||
		config_auth_read(&auth, err) < 0)
		return -1;
	what = buf_text(&text);
	web = http_new(&options, err);
	if (!web)
		return -1;
	return settings->find ? find(web, what, err) : get(web, what, err);
}

static int run(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] <URL", "[OPTIONS] --find <NAME", NULL };
	static const char *const see_also[] = { "rkt-store-trust(1)", NULL };
	struct key_settings settings = { 0 };
	const struct opt options[] = {
		{ .name = "find",
			.kind = OPT_FLAG,
			.into = &settings.find,
			.help = "Say where the keys for this name are." },
		{ .name = "cacert",
			.kind = OPT_TEXT,
			.into = &settings.cacert,
			.argument = "FILE",
			.help = "Only the CAs in this PEM file count, not those of the system. "
				"$RKT_CACERT without it." },
		{ .name = "allow-http",
			.kind = OPT_FLAG,
			.into = &settings.allow_http,
			.help = "Without TLS too." },
		CMD_OPTIONS_END,
	};
	const struct command command = { .program = "rkt-fetch-key",
		.usage = usage,
		.summary = "get a key from the web for rkt-store trust",
		.description = "Prints the file at the URL that standard input is, or where the "
			       "keys for that name are. 'rkt-store trust' runs it.",
		.options = options,
		.see_also = see_also,
		.operands_max = 0 };
	auto_error rkt_error *why = NULL;
	enum opts_result got = opts_parse(&command, argc, argv, NULL, err);

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	signal(SIGPIPE, SIG_IGN); /* as libcurl wants it */
	if (work(&settings, &why) == 0)
		return 0;
	print_error(why);
	return (int)rkt_error_kind(why);
}

int main(int argc, char **argv)
{
	return cmd_secret_main(argc, argv, run);
}
