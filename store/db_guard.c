/* Memory faults inside transactions. */
#include "store/db_guard.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rkt/store.h"
#include "base/scope.h"

#define TELLS ": the index is damaged: it leads LMDB to memory that is not there\n"

static _Thread_local unsigned inside;
static const char *program_name;
static int exit_status;

void db_guard_enter(void)
{
	inside++;
}

void db_guard_leave(void)
{
	inside--;
}

/* Only what signal-safety(7) allows. Elsewhere than in a transaction it is our own fault: the
 * handler is gone, and the instruction that is tried again ends us as it would have. */
static void tell(int signal_number)
{
	(void)signal_number;
	if (!inside)
		return;
	if (write(STDERR_FILENO, program_name, strlen(program_name)) > 0)
		(void)!write(STDERR_FILENO, TELLS, sizeof TELLS - 1);
	_exit(exit_status);
}

void rkt_store_catch_damage(const char *program, int status)
{
	static const int faults[] = { SIGSEGV, SIGBUS };
	struct sigaction action = { .sa_handler = tell, .sa_flags = (int)SA_RESETHAND };

	program_name = program;
	exit_status = status;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct sigaction before;

		/* not in place of a handler that somebody, a sanitizer say, set before */
		if (sigaction(faults[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(faults[i], &action, NULL);
	}
}
