/* One list of signals for the supervisor, pid 1 and the launchers. */
#include "stage1/native/signals.h"

#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

bool signal_is_forwarded(int signal)
{
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		if (forwarded[i] == signal)
			return true;
	return false;
}

sigset_t signals_taken(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGWINCH);
	return set;
}

int signals_take(rkt_error **err)
{
	sigset_t set = signals_taken(), block = set;
	int fd;

	signal(SIGCHLD, SIG_DFL); /* ignored, children would vanish without a status */
	sigaddset(&block, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &block, NULL) < 0)
		return rkt_fail_errno(err, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? rkt_fail_errno(err, "signalfd") : fd;
}

void signals_reset(void)
{
	/* Zero is SIG_DFL, no flags and no mask, in whatever order a machine's struct has them. By
	 * the bare call, because the C library's refuses its own two signals (32 and 33), and a
	 * caller may have ignored these as well. */
	static const unsigned long all_default[8];
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, all_default, NULL, NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
