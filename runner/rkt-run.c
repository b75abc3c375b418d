/* rkt-run: makes a pod of images and runs it. */
#include <string.h>
#include <unistd.h>

#include "cli/main.h"
#include "cli/out.h"
#include "cli/secret.h"
#include "runner/run.h"
#include "stage1/contract.h"
#include "rkt/store.h"

/* Linux, HOST_NAME_MAX */
#define HOSTNAME_MAX 64

/* What the table cannot say. */
static int check(const struct run_options *options, rkt_error **err)
{
	const char *hostname = options->hostname;

	if (hostname && (!*hostname || strlen(hostname) > HOSTNAME_MAX))
		return rkt_fail(err, RKT_USAGE, "--hostname: must be 1 to %d characters long",
			HOSTNAME_MAX);
	if (options->interactive && options->app_count > 1)
		return rkt_fail(err, RKT_USAGE, "--interactive: only for a pod of one app");
	if (geteuid() != 0)
		return rkt_fail(err, RKT_FAILED, "running pods needs root");
	return 0;
}

static int run(int argc, char **argv, rkt_error **err)
{
	__attribute__((cleanup(run_options_free))) struct run_options options = { 0 };
	int got = run_options_parse(&options, argc, argv, err);

	if (got <= 0)
		return got;
	out_set_debug(options.debug);
	if (check(&options, err) < 0)
		return -1;
	return run_start(&options, err);
}

int main(int argc, char **argv)
{
	char **words = secret_hide(argc, argv); /* images may be at URLs with passwords */
	int status;

	rkt_store_catch_damage("rkt-run", STAGE1_EXIT_FAILED);
	status = cli_main(argc, words, run, STAGE1_EXIT_FAILED);
	secret_free(words);
	return status;
}
