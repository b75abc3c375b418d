/* Before the pod: everything that can go wrong is found out. With the pod: one loop. */
#include "stage1/native/supervisor.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "stage1/contract.h"
#include "stage1/native/control.h"
#include "stage1/native/pod_init.h"
#include "stage1/native/signals.h"
#include "stage1/native/terminal.h"

/* For a terminal whose kind the caller does not tell. */
#define TERM_UNKNOWN "dumb"

/* "-2147483648\n" is the longest there is. */
#define NUMBER_SIZE 12

#define STATUS_KILLED (128 + SIGKILL)

struct supervisor {
	const struct supervisor_options *options;
	struct plan plan;
	int dir;     /* the pod directory */
	int signals; /* signalfd */
	int control;
	int pod; /* pidfd of the pod's first process */
	pid_t pid;
	terminal *terminal; /* NULL: the streams are passed through */
	bool *ended;        /* one an app */
	int first_failure;  /* exit status, 0: none */
};

static void supervisor_release(struct supervisor *self)
{
	const int fds[] = { self->dir, self->signals, self->control, self->pod };

	terminal_close(self->terminal);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (size_t i = 0; self->plan.volumes && i < self->plan.apps.count; i++)
		volumes_free(&self->plan.volumes[i]);
	free(self->plan.volumes);
	free(self->ended);
	app_list_free(&self->plan.apps);
}

/* ---- before -------------------------------------------------------------------------------- */

static int plan_pod(struct supervisor *self, rkt_error **err)
{
	const struct supervisor_options *options = self->options;
	struct plan *plan = &self->plan;

	plan->uuid = options->uuid;
	plan->hostname = options->hostname;
	plan->network = options->network;
	if (app_list_read(self->dir, &plan->apps, err) < 0)
		return -1;
	if (options->interactive && plan->apps.count > 1)
		return rkt_fail(err, RKT_USAGE, "--interactive: the pod has %zu apps, not one",
			plan->apps.count);
	self->ended = xcalloc(plan->apps.count, sizeof *self->ended);
	plan->volumes = xcalloc(plan->apps.count, sizeof *plan->volumes);
	for (size_t i = 0; i < plan->apps.count; i++)
		if (volumes_open(self->dir, &plan->apps, &plan->apps.apps[i], &plan->volumes[i],
			    err) < 0)
			return -1;
	return 0;
}

static int plan_terminal(struct supervisor *self, rkt_error **err)
{
	self->plan.terminals = terminal_find();
	if (!self->plan.terminals)
		return 0;
	self->plan.term = getenv("TERM") ?: TERM_UNKNOWN;
	self->terminal = terminal_open(self->plan.terminals, self->plan.apps.count, err);
	return self->terminal ? 0 : -1;
}

/* ---- the pod's first process --------------------------------------------------------------- */

/* The part of a fork that makes the pod's namespaces. */
static pid_t fork_pod(enum plan_network network, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS |
			 CLONE_NEWCGROUP,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	if (network != PLAN_NETWORK_HOST)
		args.flags |= CLONE_NEWNET;
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* In the child: what is the supervisor's alone is let go of. The lock is kept: while anything of
 * the pod is left, it counts as running. */
static _Noreturn void become_pod(struct supervisor *self, int control)
{
	terminal_close(self->terminal);
	close(self->control);
	close(self->signals);
	close(self->dir);
	pod_init(&self->plan, control);
}

static int start_pod(struct supervisor *self, rkt_error **err)
{
	int control[2];

	if (control_pair(control, err) < 0)
		return -1;
	self->control = control[0];
	auto_fd int pods_end = control[1];

	/* nobody in the pod may look into our processes, whatever its capabilities */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return rkt_fail_errno(err, "PR_SET_DUMPABLE");
	self->pid = fork_pod(self->plan.network, &self->pod);
	if (self->pid < 0)
		return rkt_fail_errno(err, "make the pod's namespaces");
	if (self->pid == 0)
		become_pod(self, pods_end);
	for (size_t i = 0; i < self->plan.apps.count; i++)
		volumes_free(&self->plan.volumes[i]);
	return 0;
}

/* Opens, below DIR, the file that is to become NAME. */
static int open_draft(int dir, const char *name, int flags, rkt_error **err)
{
	auto_free char *new_name = xasprintf(".%s.new", name);
	int fd = openat(dir, new_name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0644);

	return fd < 0 ? rkt_fail_errno(err, "create") : fd;
}

/* Writes VALUE and a newline as file NAME below DIR, whole, also over an old one. */
static int write_number(int dir, const char *name, int value, rkt_error **err)
{
	ERROR_SCOPE(err, "writing", name);
	auto_free char *new_name = xasprintf(".%s.new", name);
	auto_fd int fd = open_draft(dir, name, 0, err);
	int len;

	if (fd < 0)
		return -1;
	len = dprintf(fd, "%d\n", value);
	if (len < 0 || ftruncate(fd, len) < 0)
		return rkt_fail_errno(err, "write");
	return renameat(dir, new_name, dir, name) < 0 ? rkt_fail_errno(err, "rename") : 0;
}

/* Takes the room that write_number() will need for NAME. */
static int reserve_number(int dir, const char *name, rkt_error **err)
{
	ERROR_SCOPE(err, "reserving", name);
	auto_fd int fd = open_draft(dir, name, O_TRUNC, err);

	if (fd < 0)
		return -1;
	errno = posix_fallocate(fd, 0, NUMBER_SIZE);
	return errno ? rkt_fail_errno(err, "allocate") : 0;
}

/* An app that fills the disk must not take away the room for what is to be said about its end. */
static int reserve_statuses(const struct supervisor *self, rkt_error **err)
{
	auto_fd int shelf = fd_make_dir(self->dir, STAGE1_STATUS, 0755, NULL, err);

	if (shelf < 0)
		return -1;
	for (size_t i = 0; i < self->plan.apps.count; i++)
		if (reserve_number(shelf, self->plan.apps.apps[i].name, err) < 0)
			return -1;
	return 0;
}

static int let_go(struct supervisor *self, rkt_error **err)
{
	const struct control_message go = { CONTROL_GO, 0, 0 };
	auto_error rkt_error *unsent = NULL;

	if (reserve_statuses(self, err) < 0)
		return -1;
	if (write_number(self->dir, STAGE1_PID, self->pid, err) < 0)
		return -1;
	if (self->options->debug)
		dprintf(STDERR_FILENO, "stage1: pod %s runs as process %d\n", self->plan.uuid,
			self->pid);
	if (control_send(self->control, &go, -1, &unsent) == 0)
		return 0;
	/* a pod that is gone already says why itself; its status is collected as any other. One
	 * that is there would wait for ever. */
	if (rkt_error_errno(unsent) == EPIPE || rkt_error_errno(unsent) == ECONNRESET)
		return 0;
	return rkt_fail_with(err, pass_ptr(unsent));
}

/* ---- with the pod -------------------------------------------------------------------------- */

static int app_ended(struct supervisor *self, uint32_t index, int status, rkt_error **err)
{
	auto_fd int shelf = -1;
	const char *name;

	if (index >= self->plan.apps.count || self->ended[index])
		return 0;
	name = self->plan.apps.apps[index].name;
	self->ended[index] = true;
	if (status && !self->first_failure)
		self->first_failure = status;
	if (self->options->debug)
		dprintf(STDERR_FILENO, "stage1: app %s ended with status %d\n", name, status);
	shelf = fd_make_dir(self->dir, STAGE1_STATUS, 0755, NULL, err);
	return shelf < 0 ? -1 : write_number(shelf, name, status, err);
}

/* Takes one message. 1: there was one; 0: there is none, now or ever. */
static int take_message(struct supervisor *self, rkt_error **err)
{
	struct control_message message;
	int got, fd;

	got = control_receive(self->control, MSG_DONTWAIT, &message, &fd, NULL);
	if (got <= 0)
		return 0;
	if (message.kind == CONTROL_ENDED)
		return app_ended(self, message.app, message.value, err) < 0 ? -1 : 1;
	if (message.kind == CONTROL_TERMINAL && self->terminal && fd >= 0)
		return terminal_add(self->terminal, fd, err) < 0 ? -1 : 1;
	if (fd >= 0)
		close(fd);
	return 1;
}

static void kill_pod(const struct supervisor *self)
{
	syscall(SYS_pidfd_send_signal, self->pod, SIGKILL, NULL, 0);
}

static void take_signals(struct supervisor *self)
{
	struct signalfd_siginfo info;

	while (read(self->signals, &info, sizeof info) == sizeof info) {
		const struct control_message pass = { CONTROL_SIGNAL, 0, (int32_t)info.ssi_signo };

		if (signal_is_forwarded((int)info.ssi_signo))
			control_send(self->control, &pass, -1, NULL);
		else if (self->terminal && info.ssi_signo == SIGWINCH)
			terminal_resized(self->terminal);
		else if (self->terminal && info.ssi_signo == SIGCONT)
			terminal_continued(self->terminal);
	}
}

/* One round. 1: go on; 0: the pod has ended. */
static int wait_and_act(struct supervisor *self, struct pollfd *fds, rkt_error **err)
{
	size_t count = 3;
	int got;

	fds[0] = (struct pollfd){ self->pod, POLLIN, 0 };
	fds[1] = (struct pollfd){ self->signals, POLLIN, 0 };
	fds[2] = (struct pollfd){ self->control, POLLIN, 0 };
	if (self->terminal)
		count += terminal_poll(self->terminal, fds + 3);
	if (poll(fds, count, -1) < 0 && errno != EINTR)
		return rkt_fail_errno(err, "poll");
	if (fds[1].revents & POLLIN)
		take_signals(self);
	if (fds[2].revents) {
		while ((got = take_message(self, err)) > 0)
			;
		if (got < 0)
			return -1;
	}
	if (self->terminal && terminal_copy(self->terminal))
		kill_pod(self);
	return !(fds[0].revents & POLLIN);
}

static int watch_pod(struct supervisor *self, rkt_error **err)
{
	size_t count = 3 + (self->terminal ? terminal_poll_count(self->terminal) : 0);
	auto_free struct pollfd *fds = NULL;
	int going;

	count += self->plan.apps.count;
	fds = xcalloc(count, sizeof *fds);
	while ((going = wait_and_act(self, fds, err)) > 0)
		;
	return going;
}

/* ---- after --------------------------------------------------------------------------------- */

/* Apps that were killed with the pod could not be reported by it. */
static int settle(struct supervisor *self, rkt_error **err)
{
	int status;

	if (self->terminal)
		terminal_drain(self->terminal);
	while (waitpid(self->pid, &status, 0) < 0)
		if (errno != EINTR)
			return rkt_fail_errno(err, "wait for the pod");
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return self->first_failure ?: WEXITSTATUS(status);
	for (uint32_t i = 0; i < self->plan.apps.count; i++)
		if (app_ended(self, i, STATUS_KILLED, err) < 0)
			return -1;
	return self->first_failure;
}

static int run(struct supervisor *self, rkt_error **err)
{
	if (plan_pod(self, err) < 0 || plan_terminal(self, err) < 0)
		return -1;
	self->signals = signals_take(err);
	if (self->signals < 0 || start_pod(self, err) < 0)
		return -1;
	if (let_go(self, err) < 0 || watch_pod(self, err) < 0) {
		kill_pod(self);
		return -1;
	}
	return settle(self, err);
}

int supervise(const struct supervisor_options *options, rkt_error **err)
{
	__attribute__((cleanup(supervisor_release))) struct supervisor self = {
		.options = options, .signals = -1, .control = -1, .pod = -1
	};

	self.dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self.dir < 0)
		return rkt_fail_errno(err, "open the pod directory");
	return run(&self, err);
}
