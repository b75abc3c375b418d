/* What a process was started with, and what it has in memory. */
#include "cli/secret.h"

#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/sanitized.h"
#include "base/str.h"

/* Whether LEN bytes of TEXT may be HOST or HOST:PORT. If not, what follows the ':' is a password
 * that a '/' stands in, as in https://me:a/b@example.com. */
static bool may_be_host(const char *text, size_t len)
{
	const char *port = *text == '[' ? NULL : memchr(text, ':', len);

	return !port || strspn(port + 1, "0123456789") >= (size_t)(text + len - port - 1);
}

/* Where a user and a password in front of a host end, NULL when there are none. TEXT begins where a
 * scheme has ended. */
static const char *end_of_user(const char *text)
{
	size_t len = strcspn(text, "/?#");
	const char *at = memrchr(text, '@', len), *host = at ? at + 1 : text;

	return may_be_host(host, len - (size_t)(host - text)) ? at : strrchr(text, '@');
}

/* The same of what has no "://": it may be meant as a URL, and is refused then; fetch_shown() has
 * the same rule. A ':' behind a '/' or ',' is else that of a version, or in a path or label. */
static const char *end_of_mistyped_user(const char *text)
{
	const char *colon = strchr(text, ':'), *at = strrchr(text, '@');
	size_t first = strcspn(text, "/,");
	bool has_scheme = str_has_prefix(text, "//") ||
			  (strncasecmp(text, "http", 4) == 0 && !memchr(text, '.', first));

	if (!colon || !at || at < colon)
		return NULL;
	return has_scheme || colon < text + first ? at : NULL;
}

/* The user and password of WORD, an operand, an option with its value, or that alone; empty: it has
 * none. */
static struct slice find_user(const char *word)
{
	const char *scheme_end = strstr(word, "://"), *start = word, *end;

	if (scheme_end)
		start = scheme_end + strlen("://");
	else if (str_has_prefix(word, "--") && strchr(word, '='))
		start = strchr(word, '=') + 1;
	end = scheme_end ? end_of_user(start) : end_of_mistyped_user(start);
	return (struct slice){ (const uint8_t *)start, end ? (size_t)(end - start) : 0 };
}

char *secret_left_out(const char *word)
{
	struct slice user = find_user(word);
	size_t before = (size_t)((const char *)user.data - word);

	return user.len ? xasprintf("%.*s%s", (int)before, word, word + before + user.len + 1)
			: xstrdup(word);
}

static void blacken_user(char *word)
{
	struct slice user = find_user(word);

	memset(word + ((const char *)user.data - word), '*', user.len);
}

static void blacken_header(char *line)
{
	char *value = strchr(line, ':');

	if (value)
		memset(value + 1, '*', strlen(value + 1));
}

/* What follows --header in WORD, which may be written with one dash; NULL: it is another word. */
static const char *after_header(const char *word)
{
	const char *name = word + strspn(word, "-");

	if (name == word || name > word + 2 || !str_has_prefix(name, "header"))
		return NULL;
	return name + strlen("header");
}

/* Overwrites what is secret in ARGV, as the kernel shows it. */
static void hide(char **argv)
{
	bool header = false;

	for (; *argv; argv++) {
		const char *after = after_header(*argv);

		blacken_user(*argv);
		if (header || (after && *after == '='))
			blacken_header(*argv);
		header = after && !*after;
	}
}

char **secret_hide(int argc, char **argv)
{
	char **words = xcalloc((size_t)argc + 1, sizeof *words);

	for (int i = 0; i < argc; i++)
		words[i] = xstrdup(argv[i]);
	if (argc)
		hide(argv + 1);
	return words;
}

void secret_free(char **words)
{
	for (char **at = words; *at; at++)
		xfree_secret(*at);
	free(words);
}

void secret_close_memory(void)
{
	if (!IS_SANITIZED) /* AddressSanitizer looks for leaks as a debugger does */
		prctl(PR_SET_DUMPABLE, 0);
}
