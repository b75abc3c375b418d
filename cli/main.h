/*
 * What the main() of every program has in common: errors become one line on stderr and an exit
 * status, and a program with commands finds the one that was named.
 */
#pragma once

#include "base/error.h"
#include "cli/opts.h"

/* A program's or command's work. Returns an exit status (0 and up), or -1 with *err set. ARGV[0] is
 * the name as the user typed it ("rkt-store import"). */
typedef int cli_run_fn(int argc, char **argv, rkt_error **err);

/* Runs RUN and returns what main() shall return. An error is printed as "PROGRAM: MESSAGE", for
 * RKT_USAGE with a second line "Try 'PROGRAM --help'."; one that another program told
 * (rkt_fail_told()) is not printed. The status is the error's kind, or
 * FAILURE_STATUS when that is not 0 (the runner: 254; RKT_USAGE stays 2 before anything ran). Also:
 * SIGPIPE is left to kill us; where RUN ignores it, it does so at the end, if all that failed was
 * that nobody reads stdout. A signal that stop.h noted does it at the end, SIGCHLD is as it is by
 * default, whatever who started us made of it (some daemons ignore it, and then no child of ours
 * could be waited for), standard descriptors are opened on /dev/null when they are closed (so that
 * no file of ours becomes one of them; writing to what was a closed stdout still fails), stdout is
 * flushed and a write error on it (full disk) is a failure. */
int cli_main(int argc, char **argv, cli_run_fn *run, int failure_status);

/* Ends the program after cli_main() at once, for those that are done in a few milliseconds: what
 * libraries tidy up at exit(), the kernel takes back anyway, and OpenSSL alone needs half a
 * millisecond. Where sanitizers watch it is exit(): that is when they report. */
_Noreturn void cli_end(int status);

struct cli_command {
	const char *name;    /* "import"; NULL ends a table */
	const char *summary; /* one line for the list in --help */
	cli_run_fn *run;
	const char *slip; /* another word for it, that is corrected when somebody tries; or NULL */
};

struct cli_program {
	const char *name; /* "rkt-store" */
	const char *summary, *description;
	const struct cli_command *commands;
	/* Shown in --help; accepted before the command too, or NULL. Given there they are handed on
	 * to the command, so every command's own table must have them; INTO is not used here. */
	const struct opt *options;
	const char *const *see_also;
};

/* Finds and runs the command ARGV[1] of PROGRAM; answers --help, --version, --print-man, "help
 * [COMMAND]" and no command at all. An unknown command is RKT_USAGE with the nearest known one. */
int cli_dispatch(const struct cli_program *program, int argc, char **argv, rkt_error **err);
