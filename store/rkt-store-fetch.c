/*
 * What rkt-store fetch becomes.
 *
 * Passwords and tokens are in its memory as long as it runs, so nobody else gets to read that: no
 * core file, no debugger of the same user, and not the words it was started with, which /proc shows
 * to all (S-029).
 */
#include <string.h>
#include <sys/prctl.h>

#include "base/alloc.h"
#include "base/sanitized.h"
#include "base/str.h"
#include "store/cmd_fetch.h"
#include "store/store.h"

static void blacken(char *from, const char *to)
{
	memset(from, '*', (size_t)(to - from));
}

/* The user and password of a URL, wherever it stands in WORD. */
static void blacken_url(char *word)
{
	char *start = strstr(word, "://"), *end;

	if (!start)
		return;
	start += strlen("://");
	end = memrchr(start, '@', strcspn(start, "/?#"));
	if (end)
		blacken(start, end);
}

static void blacken_header(char *line)
{
	char *value = strchr(line, ':');

	if (value)
		blacken(value + 1, value + strlen(value));
}

/* Overwrites what is secret in ARGV, as the kernel shows it. */
static void hide(char **argv)
{
	bool header = false;

	for (; *argv; argv++) {
		blacken_url(*argv);
		if (header || str_has_prefix(*argv, "--header="))
			blacken_header(*argv);
		header = strcmp(*argv, "--header") == 0;
	}
}

int main(int argc, char **argv)
{
	auto_free char **words = xcalloc((size_t)argc + 1, sizeof *words);
	int status;

	rkt_store_catch_damage("rkt-store", RKT_INVALID);
	if (!IS_SANITIZED) /* AddressSanitizer looks for leaks as a debugger does */
		prctl(PR_SET_DUMPABLE, 0);
	for (int i = 0; i < argc; i++)
		words[i] = xstrdup(argv[i]);
	hide(argv);
	status = cli_main(argc, words, fetch_run, 0);
	for (int i = 0; i < argc; i++)
		xfree_secret(words[i]);
	cli_end(status);
}
