/* The launcher: root, volumes, terminal, then the phases of the app. */
#include "stage1/native/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "base/proc.h"
#include "stage1/common/environment.h"
#include "stage1/contract.h"
#include "stage1/native/control.h"
#include "stage1/native/devices.h"
#include "stage1/native/exec.h"
#include "stage1/native/pty.h"
#include "stage1/native/root.h"
#include "stage1/native/signals.h"

static const struct ready_app *this_app(const struct launch *launch)
{
	return &launch->plan->apps.apps[launch->index];
}

static int report(const struct ready_app *app, rkt_error *error)
{
	return dprintf(STDERR_FILENO, "stage1: app %s: %s\n", app->name, rkt_error_message(error));
}

/* For an app that is not to have the caller's input: *RET is /dev/null, opened while it is that of
 * our own /dev. Where a volume covers it, whatever lies there could fail us, or block for ever. */
static int open_null(int *ret, rkt_error **err)
{
	*ret = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? rkt_fail_errno(err, "open /dev/null") : 0;
}

static int build_root(const struct launch *launch, int *ret_null, rkt_error **err)
{
	const struct ready_app *app = this_app(launch);
	const struct app_volumes *volumes = &launch->plan->volumes[launch->index];

	if (root_enter(app->dir, err) < 0 || root_furnish(err) < 0 || open_null(ret_null, err) < 0)
		return -1;
	/* before a volume may be where it goes: what lies there is not ours to add to */
	if (root_write_hosts(launch->plan->hostname, err) < 0)
		return -1;
	if (volumes_attach(volumes, app->name, err) < 0)
		return -1;
	return app->entry->read_only_rootfs ? root_make_read_only(err) : 0;
}

/* Opens the app's terminal, hands its master to the supervisor, and puts the slave where the
 * caller's terminal was. */
static int give_terminal(const struct launch *launch, const struct identity *who, rkt_error **err)
{
	const struct control_message message = { CONTROL_TERMINAL, launch->index, 0 };
	unsigned terminals = launch->plan->terminals;
	struct pty pty;

	if (pty_open(__builtin_ctz(terminals), terminals, who->uid, &pty, err) < 0)
		return -1;
	auto_fd int master = pty.master, slave = pty.slave;

	if (devices_set_console(slave, err) < 0)
		return -1;
	if (control_send(launch->control, &message, master, err) < 0)
		return -1;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (terminals & 1u << fd && dup2(slave, fd) < 0)
			return rkt_fail_errno(err, "dup2");
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return rkt_fail_errno(err, "make it the controlling terminal");
	return 0;
}

/* One app has the caller's standard input; several cannot share it, and have NULL_FD. */
static int set_up_streams(
	const struct launch *launch, const struct identity *who, int null_fd, rkt_error **err)
{
	if (setsid() < 0)
		return rkt_fail_errno(err, "setsid");
	if (launch->plan->terminals && give_terminal(launch, who, err) < 0)
		return -1;
	if (launch->plan->apps.count > 1 && dup2(null_fd, STDIN_FILENO) < 0)
		return rkt_fail_errno(err, "standard input");
	return 0;
}

/* Waits until the pod may start, then keeps nothing but the three streams (S-060). */
static int wait_at_gate(const struct launch *launch, rkt_error **err)
{
	char byte;

	while (read(launch->gate, &byte, 1) < 0)
		if (errno != EINTR)
			return rkt_fail_errno(err, "wait for the start");
	return proc_close_from(STDERR_FILENO + 1, err);
}

static const char *const *handler(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->event_count; i++)
		if (strcmp(app->events[i].name, name) == 0)
			return app->events[i].exec;
	return NULL;
}

/* Waits for CHILD, passing on what is sent to us. Returns its status as the contract counts it. */
static int wait_phase(pid_t child)
{
	sigset_t set = signals_taken();
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		int number = sigwaitinfo(&set, NULL);

		if (signal_is_forwarded(number))
			kill(child, number);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static _Noreturn void become(
	const struct ready_app *app, const struct exec_context *context, const char *const *argv)
{
	auto_error rkt_error *error = NULL;
	int status = exec_program(context, argv, &error);

	report(app, error);
	_exit(status);
}

/* The terminal, if there is one, is the calling process's group's from now on: its keys, and the
 * right to set it. So it matters also to an app that has it as its output only. */
static void take_foreground(void)
{
	signal(SIGTTOU, SIG_IGN); /* or the kernel would stop us for asking from the background */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (tcsetpgrp(fd, getpgrp()) == 0)
			return;
}

/* Runs ARGV in a child, in the foreground of the terminal if there is one. Returns its status. */
static int run_phase(
	const struct ready_app *app, const struct exec_context *context, const char *const *argv)
{
	pid_t child = fork();

	if (child < 0) {
		dprintf(STDERR_FILENO, "stage1: app %s: fork: %s\n", app->name, strerror(errno));
		return STAGE1_EXIT_FAILED;
	}
	if (child > 0)
		return wait_phase(child);
	/* the session, and with it the terminal, stays the launcher's: if a handler led it, its end
	 * would hang up the app's terminal */
	setpgid(0, 0);
	take_foreground();
	become(app, context, argv);
}

static _Noreturn void run_phases(const struct ready_app *app, const struct exec_context *context)
{
	const char *const *before = handler(app->app, "pre-start");
	const char *const *after = handler(app->app, "post-stop");
	int status = before ? run_phase(app, context, before) : 0;

	if (status) {
		dprintf(STDERR_FILENO,
			"stage1: app %s: its pre-start handler ended with status %d\n", app->name,
			status);
		_exit(status);
	}
	if (before)
		take_foreground();
	if (!after)
		become(app, context, app->app->exec);
	status = run_phase(app, context, app->app->exec);
	run_phase(app, context, after); /* there is nobody left who could act on its status */
	_exit(status);
}

/* What the isolators say; without one, an app that is not root cannot become it (S-063). */
static void confinement_of(const struct app *app, struct exec_context *ret)
{
	const struct isolation *isolation = &app->isolation;

	ret->caps = isolation->capabilities;
	ret->no_new_privileges = isolation->no_new_privileges_given ? isolation->no_new_privileges
								    : ret->identity->uid != 0;
}

static int prepare(const struct launch *launch, struct identity *who, struct exec_context *ret,
	rkt_error **err)
{
	const struct app *app = this_app(launch)->app;
	auto_fd int root = -1, null = -1;

	if (build_root(launch, &null, err) < 0)
		return -1;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return rkt_fail_errno(err, "open /");
	if (identity_resolve(root, app->user, app->group, who, err) < 0)
		return -1;
	ret->app = app;
	ret->identity = who;
	confinement_of(app, ret);
	if (set_up_streams(launch, who, null, err) < 0)
		return -1;
	return wait_at_gate(launch, err);
}

_Noreturn void launch_app(const struct launch *launch)
{
	const struct ready_app *app = this_app(launch);
	auto_error rkt_error *error = NULL;
	auto_identity struct identity who = { 0 };
	struct exec_context context = { 0 };

	if (prepare(launch, &who, &context, &error) < 0) {
		report(app, error);
		_exit(STAGE1_EXIT_FAILED);
	}
	auto_environment char **environment = environment_make(&(struct environment_facts){
		.app_name = app->name,
		.term = launch->plan->terminals ? launch->plan->term : NULL,
		.login = ready_app_is_early(app) ? &who : NULL,
		.variables = app->app->environment,
		.variable_count = app->app->environment_count,
	});

	context.environment = environment;
	run_phases(app, &context);
}
