/* Starting other programs, and what a process does to itself before exec. */
#include "base/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

/* Starts ARGV[0] with IN and OUT as its standard input and output; -1: /dev/null, and ours. */
static int start(char *const argv[], int in, int out, pid_t *ret_pid, rkt_error **err)
{
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error) {
		errno = error;
		return rkt_fail_errno(err, "prepare");
	}
	if (in < 0)
		error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	else
		error = posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (!error && out >= 0)
		error = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!error)
		error = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		errno = error;
		return rkt_fail_errno(err, "exec");
	}
	return 0;
}

int proc_run(char *const argv[], rkt_error **err)
{
	ERROR_SCOPE(err, "running", argv[0]);
	pid_t pid;

	return start(argv, -1, -1, &pid, err) < 0 ? -1 : wait_status(pid, err);
}

int proc_capture(char *const argv[], int in, size_t max, struct buf *out, rkt_error **err)
{
	ERROR_SCOPE(err, "running", argv[0]);
	int ends[2], done, status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return rkt_fail_errno(err, "pipe");
	done = start(argv, in, ends[1], &pid, err);
	close(ends[1]);
	if (done < 0) {
		close(ends[0]);
		return -1;
	}
	done = fd_read_rest(ends[0], max, out, err);
	close(ends[0]);
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

char *proc_helper_path(const char *name, rkt_error **err)
{
	auto_free char *self = proc_self_path(err), *beside = NULL;
	char *slash = self ? strrchr(self, '/') : NULL;

	if (!slash)
		return NULL;
	beside = xasprintf("%.*s/%s", (int)(slash - self), self, name);
	return access(beside, X_OK) == 0 ? pass_ptr(beside) : xasprintf(RKT_LIBDIR "/%s", name);
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
