/* Pid 1: three phases (found the pod, start the launchers, watch), one state struct. */
#include "stage1/native/pod_init.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/alloc.h"
#include "base/mount.h"
#include "stage1/contract.h"
#include "stage1/native/control.h"
#include "stage1/native/launch.h"
#include "stage1/native/root.h"
#include "stage1/native/signals.h"

/* How long apps have, when another has failed, to end by themselves. */
#define GRACE_MS 10000

struct watch {
	struct plan *plan;
	int control;
	int signals; /* signalfd */
	int gate;    /* closing it lets the apps start; -1 afterwards */
	pid_t *pids; /* one an app; 0 when it has ended */
	size_t running;
	int64_t kill_at_ms; /* when the grace period is over; 0: nobody is being stopped */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Brings the loopback interface up; the kernel gives it its addresses. */
static int raise_loopback(rkt_error **err)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return rkt_fail_errno(err, "bring up lo");
	return 0;
}

static int found_pod(const struct plan *plan, rkt_error **err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return rkt_fail_errno(err, "PR_SET_PDEATHSIG");
	prctl(PR_SET_NAME, "pod");
	umask(0);         /* what is made in the apps' roots has exactly the modes we say */
	if (setsid() < 0) /* keys of the caller's terminal are for the supervisor */
		return rkt_fail_errno(err, "setsid");
	if (mount_make_private(err) < 0)
		return -1;
	if (sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return rkt_fail_errno(err, "set the host name %s", plan->hostname);
	return plan->network == PLAN_NETWORK_HOST ? 0 : raise_loopback(err);
}

/* A fork into a mount namespace of its own. */
static pid_t fork_with_mounts(void)
{
	struct clone_args args = { .flags = CLONE_NEWNS, .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

static int start_launchers(struct watch *watch, rkt_error **err)
{
	int gate[2];

	if (pipe2(gate, O_CLOEXEC) < 0)
		return rkt_fail_errno(err, "pipe");
	watch->gate = gate[1];
	auto_fd int wait_end = gate[0];

	for (uint32_t i = 0; i < watch->plan->apps.count; i++) {
		struct launch launch = { watch->plan, i, watch->control, wait_end };

		watch->pids[i] = fork_with_mounts();
		if (watch->pids[i] < 0)
			return rkt_fail_errno(err, "fork");
		if (watch->pids[i] == 0) {
			close(watch->gate);
			launch_app(&launch);
		}
		watch->running++;
	}
	return 0;
}

/* Lets go of everything that shows the host: mounts, volume sources, streams. */
static int withdraw(struct watch *watch, rkt_error **err)
{
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < watch->plan->apps.count; i++)
		volumes_free(&watch->plan->volumes[i]);
	if (null < 0)
		return rkt_fail_errno(err, "open /dev/null");
	if (root_enter_empty(err) < 0)
		return -1;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return rkt_fail_errno(err, "dup2");
	return 0;
}

static void signal_apps(const struct watch *watch, int number)
{
	for (size_t i = 0; i < watch->plan->apps.count; i++)
		if (watch->pids[i] > 0)
			kill(watch->pids[i], number);
}

/* The first app that fails takes the others along. */
static int app_ended(struct watch *watch, uint32_t index, int wait_status, rkt_error **err)
{
	struct control_message message = { CONTROL_ENDED, index,
		WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status) };

	watch->pids[index] = 0;
	watch->running--;
	if (message.value && !watch->kill_at_ms) {
		watch->kill_at_ms = now_ms() + GRACE_MS;
		signal_apps(watch, SIGTERM);
	}
	return control_send(watch->control, &message, -1, err);
}

static int reap(struct watch *watch, rkt_error **err)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (uint32_t i = 0; i < watch->plan->apps.count; i++)
			if (watch->pids[i] == pid && app_ended(watch, i, status, err) < 0)
				return -1;
	return 0;
}

/* Takes one message. Returns 0 also when the supervisor is gone, with nobody left to wait for. */
static int obey(struct watch *watch, rkt_error **err)
{
	struct control_message message;
	int fd, got = control_receive(watch->control, 0, &message, &fd, err);

	if (got < 0)
		return -1;
	if (got == 0) {
		watch->running = 0;
	} else if (message.kind == CONTROL_SIGNAL) {
		signal_apps(watch, message.value);
	} else if (message.kind == CONTROL_GO && watch->gate >= 0) {
		close(watch->gate);
		watch->gate = -1;
	}
	return 0;
}

static int wait_and_act(struct watch *watch, rkt_error **err)
{
	struct pollfd fds[] = { { watch->signals, POLLIN, 0 }, { watch->control, POLLIN, 0 } };
	int64_t left = watch->kill_at_ms ? watch->kill_at_ms - now_ms() : -1;
	struct signalfd_siginfo info;

	if (watch->kill_at_ms && left <= 0) {
		signal_apps(watch, SIGKILL);
		watch->kill_at_ms = INT64_MAX / 2;
		return 0;
	}
	if (poll(fds, ARRAY_LEN(fds), left > GRACE_MS ? -1 : (int)left) < 0 && errno != EINTR)
		return rkt_fail_errno(err, "poll");
	if (fds[0].revents)
		while (read(watch->signals, &info, sizeof info) > 0)
			; /* whatever came, reaping looks at everything */
	if (reap(watch, err) < 0)
		return -1;
	return fds[1].revents && watch->running ? obey(watch, err) : 0;
}

static int run(struct watch *watch, rkt_error **err)
{
	if (found_pod(watch->plan, err) < 0 || start_launchers(watch, err) < 0)
		return -1;
	if (withdraw(watch, err) < 0)
		return -1;
	while (watch->running)
		if (wait_and_act(watch, err) < 0)
			return -1;
	return 0;
}

_Noreturn void pod_init(struct plan *plan, int control)
{
	auto_error rkt_error *error = NULL;
	struct watch watch = { .plan = plan, .control = control, .gate = -1 };

	watch.pids = xcalloc(plan->apps.count, sizeof *watch.pids);
	watch.signals = signals_take(&error);
	if (watch.signals < 0 || run(&watch, &error) < 0) {
		dprintf(STDERR_FILENO, "stage1: pod: %s\n", rkt_error_message(error));
		_exit(STAGE1_EXIT_FAILED);
	}
	_exit(0);
}
