/* Hiding what a process was started with and what it has in memory. */
#include "store/cmd_secret.h"

#include <sys/prctl.h>

#include "base/sanitized.h"
#include "cli/secret.h"

int cmd_secret_main(int argc, char **argv, cli_run_fn *run)
{
	char **words;
	int status;

	if (!IS_SANITIZED) /* AddressSanitizer looks for leaks as a debugger does */
		prctl(PR_SET_DUMPABLE, 0);
	words = secret_hide(argc, argv);
	status = cli_main(argc, words, run, 0);
	secret_free(words);
	return status;
}
