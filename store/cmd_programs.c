/*
 * The commands that are programs of their own: libcurl and libarchive, with all they need, take
 * longer to load than most commands take to run.
 */
#include "store/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/proc.h"
#include "base/str.h"

/* Completion is asked of all commands in turn, so this process must go on then. */
static bool must_return(int argc, char **argv)
{
	return argc == 2 && str_has_prefix(argv[1], "--print-completion");
}

/* What another program of ours, which ended with STATUS, has said was the reason. */
static int fail_as(const char *program, int status, rkt_error **err)
{
	if (status > RKT_UNTRUSTED)
		return rkt_fail(err, RKT_FAILED, "%s failed", program);
	return rkt_fail_told(err, (enum rkt_error_kind)status);
}

static int become(const char *name, int argc, char **argv, rkt_error **err)
{
	auto_free char *program = proc_helper_path(name, err);
	auto_free char **args = NULL;
	int status;

	if (!program)
		return -1;
	args = xcalloc((size_t)argc + 1, sizeof *args);
	memcpy(args, argv, (size_t)argc * sizeof *args);
	args[0] = program;
	if (must_return(argc, argv)) {
		fflush(stdout);
		status = proc_run(args, err);
		return status <= 0 ? status : fail_as(program, status, err);
	}
	execv(program, args);
	return rkt_fail_errno(err, "run %s", program);
}

int cmd_fetch(int argc, char **argv, rkt_error **err)
{
	return become("rkt-store-fetch", argc, argv, err);
}

int cmd_export(int argc, char **argv, rkt_error **err)
{
	return become("rkt-store-export", argc, argv, err);
}
