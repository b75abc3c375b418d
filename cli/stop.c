/* Signals that ask us to end: noted where there is something to undo, obeyed by themselves. */
#include "cli/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/scope.h"

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

/* What the handler reads and writes. */
static volatile sig_atomic_t line_stands, noting, noted, wake = -1;

static void wipe(void)
{
	if (line_stands)
		(void)!write(STDERR_FILENO, STOP_WIPE, sizeof STOP_WIPE - 1);
	line_stands = 0;
}

/* Only what signal-safety(7) allows. The default is back (SA_RESETHAND): what is raised waits until
 * the handler returns, and ends us. */
static void handle(int number)
{
	int keep = errno;

	wipe();
	noted = number;
	if (!noting)
		raise(number);
	else if (wake >= 0)
		(void)!write(wake, &(uint64_t){ 1 }, sizeof(uint64_t));
	errno = keep;
}

static void watch(void)
{
	const struct sigaction action = { .sa_handler = handle,
		.sa_flags = (int)(SA_RESETHAND | SA_RESTART) };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct sigaction before;

		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(numbers[i], &action, NULL);
	}
}

int stop_note(void)
{
	if (wake < 0)
		wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	noting = 1;
	watch();
	return wake;
}

int stop_check(void *context, rkt_error **err)
{
	(void)context;
	return noted ? rkt_fail(err, RKT_FAILED, "ended by signal %d", (int)noted) : 0;
}

void stop_now(void)
{
	int fd = wake;

	wake = -1; /* first: the handler may come in between */
	scope_close(&fd);
	if (!noted)
		return;
	wipe();
	signal(noted, SIG_DFL);
	raise(noted);
}

void stop_set_line(bool stands)
{
	if (stands && !line_stands && !noted)
		watch();
	line_stands = stands;
}
