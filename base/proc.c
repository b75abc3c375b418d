/* Starting other programs, and what a process does to itself before exec. */
#include "base/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/scope.h"
#include "base/str.h"

extern char **environ;

/* The way of kernels before 5.9. /proc lists descriptors by number and looks again at each step, so
 * closing while reading skips none. */
static int close_listed(int first, rkt_error **err)
{
	auto_dir DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return rkt_fail_errno(err, "open /proc/self/fd");
	while ((errno = 0, entry = readdir(dir))) {
		uint64_t fd;

		if (str_parse_u64(entry->d_name, INT_MAX, "descriptor", &fd, NULL) < 0)
			continue;
		if ((int)fd >= first && (int)fd != dirfd(dir))
			close((int)fd);
	}
	return errno ? rkt_fail_errno(err, "read /proc/self/fd") : 0;
}

int proc_close_from(int first, rkt_error **err)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM) /* EPERM: a seccomp filter that does not know it */
		return rkt_fail_errno(err, "close_range");
	return close_listed(first, err);
}

static int wait_status(pid_t pid, rkt_error **err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return rkt_fail_errno(err, "wait");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* How a program is started. */
struct way {
	int in, out;   /* its standard files */
	bool is_alone; /* with nothing of ours but these */
};

static int set_files(posix_spawn_file_actions_t *actions, const struct way *way)
{
	int error = posix_spawn_file_actions_adddup2(actions, way->in, 0);

	if (!error)
		error = posix_spawn_file_actions_adddup2(actions, way->out, 1);
	if (!error && way->is_alone)
		error = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
	if (!error && way->is_alone)
		error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return error;
}

/* Those that we ignore for our own sake are none for who is started: without SIGPIPE some programs
 * write to nobody for ever. What a user has ignored, as by nohup(1), stays, but for who is alone.
 */
static int set_signals(posix_spawnattr_t *attributes, bool is_alone)
{
	sigset_t none, usual;
	short flags = POSIX_SPAWN_SETSIGDEF;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGCHLD);
	if (is_alone) {
		sigfillset(&usual);
		posix_spawnattr_setsigmask(attributes, &none);
		flags |= POSIX_SPAWN_SETSIGMASK;
	}
	posix_spawnattr_setsigdefault(attributes, &usual);
	return posix_spawnattr_setflags(attributes, flags);
}

static int start(char *const argv[], const struct way *way, pid_t *ret_pid, rkt_error **err)
{
	static char *const nothing[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&actions);

	if (!error) {
		error = posix_spawnattr_init(&attributes);
		if (error)
			posix_spawn_file_actions_destroy(&actions);
	}
	if (error) {
		errno = error;
		return rkt_fail_errno(err, "prepare");
	}
	error = set_files(&actions, way);
	if (!error)
		error = set_signals(&attributes, way->is_alone);
	if (!error)
		error = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv,
			way->is_alone ? nothing : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		errno = error;
		return rkt_fail_errno(err, "exec");
	}
	return 0;
}

/* The same with a pipe as its standard output, whose other end is *RET_END. */
static int start_pipe(
	char *const argv[], struct way *way, int *ret_end, pid_t *ret_pid, rkt_error **err)
{
	auto_fd int ours = -1, its = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return rkt_fail_errno(err, "pipe");
	ours = ends[0];
	its = ends[1];
	way->out = its;
	if (start(argv, way, ret_pid, err) < 0)
		return -1;
	*ret_end = pass_fd(ours);
	return 0;
}

int proc_capture(char *const argv[], int in, size_t max, struct buf *out, rkt_error **err)
{
	ERROR_SCOPE(err, "running", argv[0]);
	struct way way = { .in = in };
	int end, done, status;
	pid_t pid;

	if (start_pipe(argv, &way, &end, &pid, err) < 0)
		return -1;
	done = fd_read_rest(end, max, out, err);
	close(end);
	status = wait_status(pid, done < 0 ? NULL : err);
	return done < 0 ? -1 : status;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 1 when there is something to read, 0 when UNTIL is over, or -1. */
static int wait_readable(int fd, int64_t until_ms, rkt_error **err)
{
	for (;;) {
		struct pollfd wanted = { .fd = fd, .events = POLLIN };
		int64_t left = until_ms - now_ms();
		int count = poll(&wanted, 1, left > 0 ? (int)left : 0);

		if (count >= 0)
			return count;
		if (errno != EINTR)
			return rkt_fail_errno(err, "poll");
	}
}

static int read_in_time(
	int fd, const struct proc_question *question, struct buf *out, rkt_error **err)
{
	int64_t until = now_ms() + (int64_t)question->max_sec * 1000;
	size_t room = question->max;

	for (;;) {
		size_t step = room < 65536 ? room + 1 : 65536;
		int ready = wait_readable(fd, until, err);
		ssize_t got;

		if (ready < 0)
			return -1;
		if (!ready)
			return rkt_fail(
				err, RKT_FAILED, "took more than %u seconds", question->max_sec);
		got = read(fd, buf_reserve(out, step), step);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rkt_fail_errno(err, "read");
		if ((size_t)got > room)
			return rkt_fail(
				err, RKT_INVALID, "printed more than %zu bytes", question->max);
		if (!got)
			return 0;
		out->len += (size_t)got;
		room -= (size_t)got;
	}
}

/* Until it is waited for, a child that ended keeps its number. One that is no child of ours any
 * more, as where SIGCHLD is ignored, may have left it to somebody else. */
static void kill_child(pid_t pid)
{
	siginfo_t nothing;

	if (waitid(P_PID, (id_t)pid, &nothing, WEXITED | WNOHANG | WNOWAIT) == 0)
		kill(pid, SIGKILL);
}

int proc_ask(
	char *const argv[], const struct proc_question *question, struct buf *out, rkt_error **err)
{
	ERROR_SCOPE(err, "running", argv[0]);
	struct way way = { .in = question->in, .is_alone = true };
	int end, done, status;
	pid_t pid;

	if (start_pipe(argv, &way, &end, &pid, err) < 0)
		return -1;
	done = read_in_time(end, question, out, err);
	close(end);
	/* When a process that exits closes its files its status is settled: this changes only the
	 * story of one that goes on. */
	kill_child(pid);
	status = wait_status(pid, done < 0 ? NULL : err);
	return done < 0 ? -1 : status;
}

char *proc_self_path(rkt_error **err)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path);

	if (len < 0) {
		rkt_fail_errno(err, "readlink /proc/self/exe");
		return NULL;
	}
	if ((size_t)len == sizeof path) {
		rkt_fail(err, RKT_FAILED, "/proc/self/exe: path too long");
		return NULL;
	}
	return xmemdup(path, (size_t)len);
}

/* Of the program NAME: beside this one, or else in FOLDER. */
static char *path_beside(const char *name, const char *folder, rkt_error **err)
{
	auto_free char *self = proc_self_path(err), *beside = NULL;
	char *slash = self ? strrchr(self, '/') : NULL;

	if (!slash)
		return NULL;
	beside = xasprintf("%.*s/%s", (int)(slash - self), self, name);
	return access(beside, X_OK) == 0 ? pass_ptr(beside) : xasprintf("%s/%s", folder, name);
}

char *proc_program_path(const char *name, rkt_error **err)
{
	return path_beside(name, RKT_BINDIR, err);
}

char *proc_helper_path(const char *name, rkt_error **err)
{
	return path_beside(name, RKT_LIBDIR, err);
}

char *proc_boot_id(rkt_error **err)
{
	auto_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	auto_buf struct buf text = { 0 };

	if (fd < 0) {
		rkt_fail_errno(err, "open /proc/sys/kernel/random/boot_id");
		return NULL;
	}
	if (fd_read_rest(fd, 64, &text, err) < 0)
		return NULL;
	while (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	return buf_steal_text(&text);
}
