/* Allocation that aborts instead of failing. */
#include "base/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void out_of_memory(void)
{
	static const char words[] = ": out of memory\n";
	const char *name = program_invocation_short_name;
	struct iovec line[] = { { (void *)(uintptr_t)name, strlen(name) },
		{ (void *)(uintptr_t)words, sizeof words - 1 } };

	if (writev(STDERR_FILENO, line, 2) < 0) {
		/* then nobody hears it */
	}
	abort();
}

static void *or_abort(void *got)
{
	if (!got)
		out_of_memory();
	return got;
}

void *xmalloc(size_t size)
{
	return or_abort(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
	return or_abort(realloc(old, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return or_abort(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return or_abort(strdup(text));
}

char *xstrdup_if(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void xfree_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

char *xmemdup(const void *bytes, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		out_of_memory();
	va_end(args);
	return or_abort(text);
}
