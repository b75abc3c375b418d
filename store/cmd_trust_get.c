/* rkt-store trust: keys from the web, which a program of its own asks (cmd_fetch_key.c). */
#include "store/cmd_trust.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/str.h"

#define HELPER     "rkt-fetch-key"
#define ANSWER_MAX (KEYS_FILE_MAX + 64 * 1024)

enum question { QUESTION_FILE, QUESTION_WHERE };

bool trust_is_url(const char *word)
{
	return str_has_prefix(word, "https://") || str_has_prefix(word, "http://");
}

char *trust_shown(const char *word)
{
	const char *host = strstr(word, "://"), *at;

	if (!trust_is_url(word))
		return xstrdup(word);
	host += strlen("://");
	at = memrchr(host, '@', strcspn(host, "/?#"));
	return at ? xasprintf("%.*s%s", (int)(host - word), word, at + 1) : xstrdup(word);
}

/* What the helper says of WHAT, which is not for everybody to see: a URL may have a password. */
static int ask(const struct trust_settings *settings, enum question question, const char *what,
	struct buf *ret, rkt_error **err)
{
	static char http[] = "--allow-http", find[] = "--find";
	auto_free char *program = proc_helper_path(HELPER, err);
	auto_free char *cacert =
		settings->cacert ? xasprintf("--cacert=%s", settings->cacert) : NULL;
	const struct slice bytes = { (const uint8_t *)what, strlen(what) };
	auto_fd int in = program ? fd_of_bytes(bytes, err) : -1;
	auto_json json *answer = NULL;
	char *argv[5] = { program };
	const char *why;
	size_t count = 1;
	int status;

	if (in < 0)
		return -1;
	if (cacert)
		argv[count++] = cacert;
	if (settings->allow_http)
		argv[count++] = http;
	if (question == QUESTION_WHERE)
		argv[count++] = find;
	status = proc_capture(argv, in, ANSWER_MAX, ret, err);
	if (status <= 0)
		return status;
	answer = json_parse(buf_slice(ret), NULL);
	why = json_string(json_get(answer, "error"));
	if (!why || status > RKT_UNTRUSTED)
		return rkt_fail(err, RKT_FAILED, "%s failed", program);
	return rkt_fail(err, (enum rkt_error_kind)status, "%s", why);
}

int trust_get_url(
	const struct trust_settings *settings, const char *url, struct buf *ret, rkt_error **err)
{
	return ask(settings, QUESTION_FILE, url, ret, err);
}

int trust_find(const struct trust_settings *settings, struct names *ret, rkt_error **err)
{
	auto_buf struct buf text = { 0 };
	auto_json json *urls = NULL;

	if (ask(settings, QUESTION_WHERE, settings->prefix, &text, err) < 0)
		return -1;
	urls = json_parse(buf_slice(&text), err);
	for (size_t i = 0; urls && i < json_count(urls); i++) {
		const char *url = json_string(json_at(urls, i));

		if (url && trust_is_url(url))
			names_add(ret, xstrdup(url));
	}
	return urls ? 0 : -1;
}
