/* What unit tests share: a scratch directory of their own, and cmocka with the headers it wants. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tree.h"

/* Makes a directory below $TMPDIR (or /tmp) and leaves its path in OUT; returns a descriptor. */
static inline int scratch_make(char out[static 256])
{
	const char *base = getenv("TMPDIR");

	snprintf(out, 256, "%s/rkt-test.XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(out));
	return open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void scratch_remove(const char *path)
{
	rkt_error *err = NULL;

	if (tree_remove(AT_FDCWD, path, &err) < 0)
		print_message("# %s\n", rkt_error_message(err));
	rkt_error_free(err);
}

/* Fails the test with the error's words when CALL returned -1. */
#define assert_ok(call, err)                                                                       \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail_msg(                                                                  \
				"%s: %s", #call, (err) ? rkt_error_message(err) : "no error set"); \
	} while (0)
