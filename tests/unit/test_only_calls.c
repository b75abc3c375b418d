/* only_calls: nothing but the system calls that were named (S-030). */
#include "base/only_calls.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/sanitized.h"
#include "tests/unit/scratch.h"

#define NO_FILTER 99
#define DONE      7

static void open_a_file(void)
{
	syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
}

static void make_a_socket(void)
{
	socket(AF_UNIX, SOCK_STREAM, 0);
}

static void fork_and_exit(void)
{
	fork();
}

static void undo_the_filter(void)
{
	prctl(PR_SET_SECCOMP, 0, 0, 0, 0);
}

#ifdef __x86_64__
/* 20 is getpid() there, and writev() here, which is one of those that are left */
static void call_by_old_numbers(void)
{
	int result = 20;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
}

static void read_by_x32_numbers(void)
{
	syscall(0x40000000 | SYS_read, -1, NULL, 0);
}
#endif

static void read_and_write(void)
{
	char byte;

	if (read(-1, &byte, 1) >= 0 || write(-1, &byte, 1) >= 0 || errno != EBADF)
		_exit(1);
}

/* How a process ends that does ACT when only reading, writing and ending are left. */
static int ends(void (*act)(void))
{
	static const int few[] = { SYS_read, SYS_write, SYS_writev, SYS_exit_group };
	pid_t child = fork();
	int status;

	if (child == 0) {
		int set = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
				  ? -1
				  : only_calls(few, sizeof few / sizeof *few, NULL);

		if (set != 0)
			_exit(set < 0 ? 1 : NO_FILTER);
		act();
		_exit(DONE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTER)
		skip();
	return status;
}

static void named_calls_go_on(void **state)
{
	(void)state;
	if (IS_SANITIZED) /* they make calls of their own; the filter is left out there */
		skip();
	assert_int_equal(ends(read_and_write), DONE << 8);
}

static void any_other_call_kills(void **state)
{
	static void (*const acts[])(void) = {
		open_a_file,
		make_a_socket,
		fork_and_exit,
		undo_the_filter,
#ifdef __x86_64__
		call_by_old_numbers,
		read_by_x32_numbers,
#endif
	};

	(void)state;
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		if (WTERMSIG(ends(acts[i])) != SIGSYS)
			fail_msg("the act %zu went through", i);
}

static void without_no_new_privs_an_ordinary_user_is_told(void **state)
{
	auto_error rkt_error *err = NULL;
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(NO_FILTER);
		switch (only_calls((const int[]){ SYS_exit_group }, 1, &err)) {
		case 1:
			_exit(NO_FILTER);
		case -1:
			_exit(rkt_error_errno(err) == EACCES ? 0 : 1);
		}
		_exit(2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status == NO_FILTER << 8)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(named_calls_go_on),
		cmocka_unit_test(any_other_call_kills),
		cmocka_unit_test(without_no_new_privs_an_ordinary_user_is_told),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
