/* The corpus of tests/corpus/, made once for a test program, and its archives by name. */
#pragma once

#include <sys/wait.h>

#include "tests/unit/scratch.h"
#include "base/buf.h"
#include "base/fd.h"

struct corpus {
	char path[256];
	int dir;
};

/* Runs the words given, up to NULL, with output to OUT_FD (-1: ours). Returns the exit status. */
static inline int run(const char *const *words, int out_fd)
{
	int status;
	pid_t child = fork();

	if (!child) {
		if (out_fd >= 0)
			dup2(out_fd, STDOUT_FILENO);
		/* execvp() does not change the words */
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static inline int corpus_make(void **state)
{
	static struct corpus corpus;
	const char *top = getenv("top_srcdir");
	char script[512];

	snprintf(script, sizeof script, "%s/tests/corpus/make-corpus.py", top ? top : ".");
	corpus.dir = scratch_make(corpus.path);
	*state = &corpus;
	return run((const char *const[]){ "python3", "-B", script, corpus.path, NULL }, -1);
}

static inline int corpus_remove(void **state)
{
	const struct corpus *corpus = *state;

	close(corpus->dir);
	scratch_remove(corpus->path);
	return 0;
}

/* Sets OUT to the bytes of the archive NAME. */
static inline void corpus_read(const struct corpus *corpus, const char *name, struct buf *out)
{
	rkt_error *err = NULL;

	out->len = 0;
	assert_ok(fd_read_file(corpus->dir, name, 64 * 1024 * 1024, out, &err), err);
}
