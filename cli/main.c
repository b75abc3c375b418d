/* The frame around every program's work: descriptors, errors, exit status. */
#include "cli/main.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/sanitized.h"
#include "cli/out.h"
#include "cli/stop.h"

/* A file opened later must not become standard output. Going upwards, open() fills the gap it
 * finds. What was closed for writing is opened for reading, so that results are not lost in
 * silence. */
static void open_standard_descriptors(void)
{
	static const int flags[] = { O_RDONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd < (int)ARRAY_LEN(flags); fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", flags[fd]) != fd) /* O_CLOEXEC would close it again */
			abort();
}

/* Who is started with SIGCHLD ignored has no children to wait for: the kernel buries them, and a
 * pid that we mean to wait for or to kill may be somebody else's. */
static void keep_children(void)
{
	signal(SIGCHLD, SIG_DFL);
}

static void go_on(int number)
{
	(void)number;
}

/* Where a file may not grow any more (RLIMIT_FSIZE), the write fails: that can be said, and what is
 * half written removed, where the signal would end us. It is handled, not ignored, so that programs
 * that we start or become have it as they expect it. */
static void survive_size_limit(void)
{
	const struct sigaction action = { .sa_handler = go_on, .sa_flags = SA_RESTART };
	struct sigaction before;

	if (sigaction(SIGXFSZ, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
		sigaction(SIGXFSZ, &action, NULL);
}

static int report(rkt_error *error, int failure_status)
{
	enum rkt_error_kind kind = rkt_error_kind(error);
	bool told = rkt_error_is_told(error);

	if (!told)
		out_error(rkt_error_message(error));
	if (kind == RKT_USAGE && !told) {
		auto_free char *hint = xasprintf("Try '%s --help'.", out_program());

		out_hint(hint);
		return RKT_USAGE;
	}
	return failure_status ? failure_status : (int)kind;
}

/* Results go out in large pieces, but to people at once. And most fit into one: then the error of
 * the write is still there when out_flush() asks for it. */
static void buffer_stdout(void)
{
	static char buffer[64 * 1024];

	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

void cli_end(int status)
{
	if (IS_SANITIZED)
		exit(status);
	_exit(status);
}

static bool is_killed_by_sigpipe(void)
{
	struct sigaction now;

	return sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

/* A command that ignores SIGPIPE, as libraries want it who write to pipes and sockets of their own,
 * ends by it all the same, without a word, where ERROR is that nobody reads its results any
 * more. */
static void end_unread(const rkt_error *error)
{
	if (!out_is_unread() || rkt_error_errno(error) != EPIPE)
		return;
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

int cli_main(int argc, char **argv, cli_run_fn *run, int failure_status)
{
	bool may_end_unread = is_killed_by_sigpipe(); /* else who started us wants to be told */
	auto_error rkt_error *error = NULL;
	int status;

	open_standard_descriptors();
	keep_children();
	survive_size_limit();
	buffer_stdout();
	if (argc > 0)
		out_set_program(strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0]);
	status = run(argc, argv, &error);
	stop_now();
	if (status == 0 && out_flush(&error) < 0)
		status = -1;
	if (status < 0 && may_end_unread)
		end_unread(error);
	if (status < 0)
		status = report(error, failure_status);
	(void)out_flush(NULL);
	return status;
}
