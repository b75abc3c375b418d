/* Hiding what a process was started with and what it has in memory. */
#include "store/cmd_secret.h"

#include <string.h>
#include <sys/prctl.h>

#include "base/alloc.h"
#include "base/sanitized.h"
#include "base/str.h"

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

int cmd_secret_main(int argc, char **argv, cli_run_fn *run)
{
	auto_free char **words = xcalloc((size_t)argc + 1, sizeof *words);
	int status;

	if (!IS_SANITIZED) /* AddressSanitizer looks for leaks as a debugger does */
		prctl(PR_SET_DUMPABLE, 0);
	for (int i = 0; i < argc; i++)
		words[i] = xstrdup(argv[i]);
	hide(argv);
	status = cli_main(argc, words, run, 0);
	for (int i = 0; i < argc; i++)
		xfree_secret(words[i]);
	return status;
}
