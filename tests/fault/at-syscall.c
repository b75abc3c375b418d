/*
 * Runs a program and does something at one chosen system call of it: kills everything before the
 * call is made, or after it and before the program knows, or makes the call fail without being
 * made.
 *
 *	at-syscall -o FILE count PROGRAM…
 *	at-syscall -o FILE kill THREAD CALL PROGRAM…
 *	at-syscall -o FILE kill-after THREAD CALL PROGRAM…
 *	at-syscall -o FILE fail THREAD CALL ERRNO [-a NAME]… PROGRAM…
 *
 * Threads are numbered from 0 in the order in which they are made (children are threads here), and
 * calls from 1 within their thread, because the order between threads is never the same twice.
 * Where memory lies is always the same. futex(2) is not counted: how often threads wait for each
 * other is chance, and nothing changes by it. execve(2) of the program itself is not counted.
 *
 * FILE gets a line a counted call, "THREAD CALL NAME WHOSE"; of the others only the one that was
 * hit, so that a file without a line says that there is no such call. NAME has a suffix where the
 * arguments decide what can go wrong: openat+create, mmap+file, fcntl+dup, fcntl+lock, brk+ask.
 * WHOSE is "loader" for calls of the dynamic loader, else "program". -a makes all later calls NAME
 * fail too, in every thread.
 *
 * The exit status is the program's, 128 + n when signal n ended it, 125 when tracing failed.
 *
 * Every call stops once, by a seccomp filter that says TRACE (seccomp(2)): half the stops of
 * PTRACE_SYSCALL, and a call is skipped by giving it the number -1.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* the C library's own header of it clashes with linux/ptrace.h, which has the newer requests */
extern long ptrace(int request, ...);

#define THREADS_MAX 64
#define ALSO_MAX    16
#define FAILED      125

#if defined __x86_64__
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

enum what { COUNT, KILL, KILL_AFTER, FAIL };

struct thread {
	pid_t id;
	unsigned long calls;
};

static struct {
	enum what what;
	unsigned thread;
	unsigned long call;
	int error;
	const char *also[ALSO_MAX];
	unsigned also_count;
	FILE *out;
	struct thread threads[THREADS_MAX];
	unsigned thread_count;
	uint64_t loader_start, loader_end;
	bool running; /* the program has begun */
	bool hit;
	pid_t program;
	pid_t inside; /* the call, after which all are killed; 0: nobody is */
	int status;
} run;

static void die(const char *what)
{
	fprintf(stderr, "at-syscall: %s: %s\n", what, strerror(errno));
	exit(FAILED); /* PTRACE_O_EXITKILL ends the rest */
}

/* ---- the program, before it is one ----------------------------------------------------------- */

static void become(char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		die("trace");
	raise(SIGSTOP);
	if (personality(ADDR_NO_RANDOMIZE) < 0)
		die("personality");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		die("seccomp");
	execvp(argv[0], argv);
	die(argv[0]);
}

/* ---- threads --------------------------------------------------------------------------------- */

static unsigned number_of(pid_t id)
{
	for (unsigned i = 0; i < run.thread_count; i++)
		if (run.threads[i].id == id)
			return i;
	if (run.thread_count == THREADS_MAX) {
		errno = EMFILE;
		die("too many threads");
	}
	run.threads[run.thread_count].id = id;
	return run.thread_count++;
}

static uint64_t loader_base(pid_t id)
{
	char path[64];
	Elf64_auxv_t entry;
	uint64_t base = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/auxv", id);
	file = fopen(path, "re");
	while (file && fread(&entry, sizeof entry, 1, file) == 1)
		if (entry.a_type == AT_BASE)
			base = entry.a_un.a_val;
	if (file)
		fclose(file);
	return base;
}

/* The program has just begun: only itself and the loader are mapped. */
static void find_loader(pid_t id)
{
	char path[64], line[512], name[512], loader[512] = "";
	uint64_t base = loader_base(id), start, end;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/maps", id);
	file = fopen(path, "re");
	while (base && file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %511s", &start, &end,
			    name) != 3)
			continue;
		if (start == base)
			strcpy(loader, name);
		if (!*loader || strcmp(name, loader) != 0)
			continue;
		run.loader_start = base;
		run.loader_end = end;
	}
	if (file)
		fclose(file);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const char *suffix(const struct ptrace_syscall_info *info)
{
	const __u64 *args = info->seccomp.args;

	switch (info->seccomp.nr) {
	case SYS_openat:
		return args[2] & O_CREAT || (args[2] & O_TMPFILE) == O_TMPFILE ? "+create" : "";
	case SYS_brk:
		return args[0] ? "" : "+ask";
	case SYS_mmap:
		return args[3] & MAP_ANONYMOUS ? "" : "+file";
	case SYS_fcntl:
		if (args[1] == F_DUPFD || args[1] == F_DUPFD_CLOEXEC)
			return "+dup";
		if (args[1] == F_OFD_SETLK || args[1] == F_OFD_SETLKW)
			return "+lock";
		return args[1] == F_SETLK || args[1] == F_SETLKW ? "+lock" : "";
	default:
		return "";
	}
}

static void name_of(const struct ptrace_syscall_info *info, char out[static 64])
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)info->seccomp.nr);

	if (name)
		snprintf(out, 64, "%s%s", name, suffix(info));
	else
		snprintf(out, 64, "%u", (unsigned)info->seccomp.nr);
	free(name);
}

static bool fails_too(const char *name)
{
	for (unsigned i = 0; run.hit && i < run.also_count; i++)
		if (strcmp(run.also[i], name) == 0)
			return true;
	return false;
}

/* The call of the stopped thread ID is not made and returns -ERROR. The kernel's brk(2) has no
 * error: it returns where the end is, and 0 is taken for a refusal, and asked for again. */
static void skip_call(pid_t id, uint64_t call, int error)
{
	struct user_regs_struct regs;
	struct iovec all = { &regs, sizeof regs };
	unsigned long long result = call == SYS_brk ? 0 : (unsigned long long)-(long long)error;

	if (ptrace(PTRACE_GETREGSET, id, NT_PRSTATUS, &all) < 0)
		die("read registers");
#if defined __x86_64__
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = result;
#elif defined __aarch64__
	int none = -1;
	struct iovec number = { &none, sizeof none };

	if (ptrace(PTRACE_SETREGSET, id, NT_ARM_SYSTEM_CALL, &number) < 0)
		die("skip a call");
	regs.regs[0] = result;
#endif
	if (ptrace(PTRACE_SETREGSET, id, NT_PRSTATUS, &all) < 0)
		die("write registers");
}

/* All tracees are children of ours or threads of them; kill() takes whole processes. */
static void kill_all(void)
{
	for (unsigned i = 0; i < run.thread_count; i++)
		kill(run.threads[i].id, SIGKILL);
}

static void write_line(unsigned thread, unsigned long call, const char *name, uint64_t where)
{
	bool loader = where >= run.loader_start && where < run.loader_end;

	fprintf(run.out, "%u %lu %s %s\n", thread, call, name, loader ? "loader" : "program");
}

static void on_call(pid_t id)
{
	struct ptrace_syscall_info info;
	unsigned thread = number_of(id);
	unsigned long call;
	char name[64];

	if (!run.running)
		return;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof info, &info) < 0)
		die("look at a call");
	call = ++run.threads[thread].calls;
	if (run.what == COUNT) {
		name_of(&info, name);
		write_line(thread, call, name, info.instruction_pointer);
		return;
	}
	if (!run.hit && thread == run.thread && call == run.call) {
		run.hit = true;
		name_of(&info, name);
		write_line(thread, call, name, info.instruction_pointer);
		if (run.what == KILL)
			kill_all();
		else if (run.what == KILL_AFTER)
			run.inside = id;
		else
			skip_call(id, info.seccomp.nr, run.error);
	} else if (run.hit && run.also_count) {
		name_of(&info, name);
		if (fails_too(name))
			skip_call(id, info.seccomp.nr, run.error);
	}
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int on_stop(pid_t id, int status)
{
	unsigned long child;

	if (run.inside == id && WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		kill_all();
		return 0;
	}
	switch (status >> 16) {
	case PTRACE_EVENT_SECCOMP:
		on_call(id);
		return 0;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		if (ptrace(PTRACE_GETEVENTMSG, id, NULL, &child) == 0)
			number_of((pid_t)child);
		return 0;
	case PTRACE_EVENT_EXEC:
		if (!run.running)
			find_loader(id);
		run.running = true;
		return 0;
	case PTRACE_EVENT_STOP:
		return 0;
	default:
		/* a new thread's first stop is a SIGSTOP that nobody sent */
		return WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
	}
}

static void trace(void)
{
	int status, signal;

	for (;;) {
		pid_t id = waitpid(-1, &status, __WALL);

		if (id < 0 && errno == EINTR)
			continue;
		if (id < 0)
			return; /* nobody is left */
		if (!WIFSTOPPED(status)) {
			if (id == run.program)
				run.status = WIFEXITED(status) ? WEXITSTATUS(status)
							       : 128 + WTERMSIG(status);
			continue;
		}
		number_of(id);
		signal = on_stop(id, status);
		/* ESRCH: killed meanwhile */
		if (ptrace(run.inside == id ? PTRACE_SYSCALL : PTRACE_CONT, id, NULL,
			    (long)signal) < 0 &&
			errno != ESRCH)
			die("go on");
	}
}

static void start(char **argv)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC |
			     PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK;
	int status;

	run.program = fork();
	if (run.program < 0)
		die("fork");
	if (run.program == 0)
		become(argv);
	if (waitpid(run.program, &status, 0) < 0 || !WIFSTOPPED(status))
		die("start");
	if (ptrace(PTRACE_SETOPTIONS, run.program, NULL, options) < 0)
		die("options");
	number_of(run.program);
	if (ptrace(PTRACE_CONT, run.program, NULL, 0L) < 0)
		die("go on");
}

static void usage(void)
{
	fputs("usage: at-syscall -o FILE count PROGRAM…\n"
	      "       at-syscall -o FILE kill THREAD CALL PROGRAM…\n"
	      "       at-syscall -o FILE kill-after THREAD CALL PROGRAM…\n"
	      "       at-syscall -o FILE fail THREAD CALL ERRNO [-a NAME]… PROGRAM…\n",
		stderr);
	exit(FAILED);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;

	if (!text || !*text || *end)
		usage();
	return value;
}

/* Reads the arguments after the file's and returns the program's. */
static char **parse(char **at)
{
	static const char *const names[] = { "count", "kill", "kill-after", "fail" };
	int what = -1;

	for (int i = 0; *at && i < 4; i++)
		if (strcmp(*at, names[i]) == 0)
			what = i;
	if (what < 0)
		usage();
	run.what = (enum what)what;
	at++;
	if (run.what != COUNT) {
		run.thread = (unsigned)number(at[0]);
		run.call = number(at[0] ? at[1] : NULL);
		at += 2;
	}
	if (run.what == FAIL)
		run.error = (int)number(*at++);
	for (; run.what == FAIL && *at && strcmp(*at, "-a") == 0; at += 2) {
		if (!at[1] || run.also_count == ALSO_MAX)
			usage();
		run.also[run.also_count++] = at[1];
	}
	if (!*at)
		usage();
	return at;
}

int main(int argc, char **argv)
{
	char **program;

	if (argc < 5 || strcmp(argv[1], "-o") != 0)
		usage();
	program = parse(argv + 3);
	run.out = fopen(argv[2], "we");
	if (!run.out)
		die(argv[2]);
	start(program);
	trace();
	if (fclose(run.out) != 0)
		die(argv[2]);
	return run.status;
}
