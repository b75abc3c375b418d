/* Starting other programs, and what a process does to itself before exec. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Closes every descriptor from FIRST on (close_range(2), else /proc/self/fd). */
int proc_close_from(int first, rkt_error **err);

/* What follows waits for a child: SIGCHLD must not be ignored (cli_main() sees to that). */

/* Runs ARGV[0] (searched in PATH) with the present environment and IN (lent) as standard input,
 * waits, and appends what it prints to OUT. Returns its exit status, or 128 + the signal that
 * killed it, or -1. More than MAX bytes is RKT_INVALID, and the program gets SIGPIPE. SIGPIPE and
 * SIGCHLD are as they are by default, also where we ignore them. */
int proc_capture(char *const argv[], int in, size_t max, struct buf *out, rkt_error **err);

struct proc_question {
	int in;           /* lent: its standard input */
	size_t max;       /* bytes that it may print */
	unsigned max_sec; /* that it may take */
};

/* The same for a program that may have been taken over by what it reads: it gets no descriptor of
 * ours but IN, no environment, and says nothing on standard error; signals are as they are by
 * default. It is killed when it takes longer or prints more, which is an error, and when it has
 * closed its standard output: whatever it does, this returns. */
int proc_ask(
	char *const argv[], const struct proc_question *question, struct buf *out, rkt_error **err);

/* The absolute path of the running program (/proc/self/exe); the caller frees it. NULL on error. */
char *proc_self_path(rkt_error **err);
/* The path of our own program NAME, which people call: as proc_helper_path(). */
char *proc_program_path(const char *name, rkt_error **err);
/* The path of our own program NAME that people do not call: beside the running program, as in a
 * built tree, else where it is installed; never one that PATH or the current directory offer. The
 * caller frees it; it may not be there. NULL on error. */
char *proc_helper_path(const char *name, rkt_error **err);
/* The running boot, as text. The caller frees it; NULL on error. */
char *proc_boot_id(rkt_error **err);
