/* proc: other programs, and closing what must not be inherited. */
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "tests/unit/scratch.h"

/* The status of what reads nothing and prints nothing. */
static int run(char *const argv[], rkt_error **err)
{
	auto_buf struct buf out = { 0 };
	auto_fd int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int status = proc_capture(argv, nothing, 0, &out, err);

	assert_int_equal(out.len, 0);
	return status;
}

static int run_shell(const char *script, rkt_error **err)
{
	char *copy = strdup(script), sh[] = "sh", c[] = "-c";
	char *const argv[] = { sh, c, copy, NULL };
	int status = run(argv, err);

	free(copy);
	return status;
}

static void exit_status_comes_back(void **state)
{
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_int_equal(run_shell("exit 7", &err), 7);
}

static void signal_is_128_and_its_number(void **state)
{
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_int_equal(run_shell("kill -9 $$", &err), 137);
}

static void standard_input_is_empty(void **state)
{
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_int_equal(run_shell("read line && exit 1; exit 0", &err), 0);
}

static void missing_program_is_an_error(void **state)
{
	char name[] = "/no/such/program";
	char *const argv[] = { name, NULL };
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_int_equal(run(argv, &err), -1);
	assert_string_equal(rkt_error_message(err),
		"running /no/such/program: exec: No such file or directory");
	assert_int_equal(rkt_error_errno(err), ENOENT);
}

static int capture(
	const char *script, const char *input, size_t max, struct buf *out, rkt_error **err)
{
	char *copy = strdup(script), sh[] = "sh", c[] = "-c";
	char *const argv[] = { sh, c, copy, NULL };
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], input, strlen(input)), (ssize_t)strlen(input));
	close(ends[1]);
	status = proc_capture(argv, ends[0], max, out, err);
	close(ends[0]);
	free(copy);
	return status;
}

static void output_and_status_come_back(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };

	(void)state;
	assert_int_equal(capture("cat; echo two; exit 7", "one\n", 100, &out, &err), 7);
	assert_string_equal(buf_text(&out), "one\ntwo\n");
}

static void endless_output_is_an_error_and_ends(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };

	(void)state;
	assert_int_equal(capture("yes", "", 100, &out, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
}

/* The shell is one that does not mind errors. */
static void who_is_captured_does_not_ignore_what_we_do(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	alarm(10);
	assert_int_equal(
		capture("n=0; while [ $n -lt 9000000 ]; do echo x; n=$((n+1)); done 2>/dev/null",
			"", 100, &out, &err),
		-1);
	alarm(0);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
}

static void what_a_user_has_ignored_stays_so(void **state)
{
	auto_error rkt_error *err = NULL;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(run_shell("kill -HUP $$; exit 7", &err), 7);
	signal(SIGHUP, SIG_DFL);
}

static void a_missing_program_has_no_output(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };
	char name[] = "/no/such/program";

	(void)state;
	assert_int_equal(proc_capture((char *[]){ name, NULL }, 0, 100, &out, &err), -1);
	assert_int_equal(rkt_error_errno(err), ENOENT);
}

/* ---- proc_ask() ------------------------------------------------------------------------------ */

static int ask(const char *script, const char *input, struct buf *out, rkt_error **err)
{
	char *copy = strdup(script), sh[] = "/bin/sh", c[] = "-c";
	char *const argv[] = { sh, c, copy, NULL };
	struct proc_question question = { .max = 100, .max_sec = 1 };
	int status;

	question.in = fd_of_bytes((struct slice){ (const uint8_t *)input, strlen(input) }, err);
	assert_true(question.in >= 0);
	status = proc_ask(argv, &question, out, err);
	close(question.in);
	free(copy);
	return status;
}

static void an_answer_and_its_status_come_back(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };

	(void)state;
	assert_int_equal(ask("cat; echo two; exit 7", "one\n", &out, &err), 7);
	assert_string_equal(buf_text(&out), "one\ntwo\n");
	assert_int_equal(ask("kill -11 $$", "", &out, &err), 139);
	assert_null(err);
}

static void who_is_asked_gets_nothing_of_ours(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };
	int kept = fcntl(0, F_DUPFD, 100);

	(void)state;
	setenv("SECRET", "password", 1);
	signal(SIGPIPE, SIG_IGN);
	assert_ok(
		ask("echo $SECRET; cd /proc/self/fd && for fd in *; do [ $fd -ge 10 ] || echo $fd; "
		    "done; [ ! -e 100 ] && readlink 2; sed -n 's/^SigIgn.*\\(....\\)$/\\1/p' ../status",
			"", &out, &err),
		err);
	signal(SIGPIPE, SIG_DFL);
	unsetenv("SECRET");
	close(kept);
	assert_string_equal(buf_text(&out), "\n0\n1\n2\n3\n/dev/null\n0000\n");
}

static void who_is_asked_cannot_keep_us(void **state)
{
	static const char *const scripts[][2] = {
		{ "exec sleep 100", "took more than 1 seconds" },
		{ "sleep 100 & exit 0", "took more than 1 seconds" },
		{ "trap '' TERM INT HUP PIPE; while echo x; do sleep .01; done",
			"printed more than 100 bytes" },
		{ "yes", "printed more than 100 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		auto_error rkt_error *err = NULL;
		auto_buf struct buf out = { 0 };

		assert_int_equal(ask(scripts[i][0], "", &out, &err), -1);
		if (!strstr(rkt_error_message(err), scripts[i][1]))
			fail_msg("%s: %s", scripts[i][0], rkt_error_message(err));
	}
}

static void who_has_closed_its_output_is_ended(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };

	(void)state;
	assert_int_equal(
		ask("echo done; exec sleep 100 >/dev/null", "", &out, &err), 128 + SIGKILL);
	assert_string_equal(buf_text(&out), "done\n");
}

static int killed;

/* In the place of libc's. */
int kill(pid_t pid, int number)
{
	killed++;
	return (int)syscall(SYS_kill, pid, number);
}

/* Its number may be somebody else's by then. */
static void who_is_no_child_any_more_is_not_killed(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_buf struct buf out = { 0 };

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	killed = 0;
	/* the sleep holds the answer open until the shell has gone */
	assert_int_equal(ask("sleep .2 & exit 0", "", &out, &err), -1);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(killed, 0);
	assert_non_null(strstr(rkt_error_message(err), "wait: No child processes"));
}

static void closes_from_the_first_on_and_not_before(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		int low = fcntl(0, F_DUPFD, 50), first = fcntl(0, F_DUPFD, 60);
		int high = fcntl(0, F_DUPFD, 200);

		if (proc_close_from(first, NULL) < 0)
			_exit(1);
		if (fcntl(low, F_GETFD) < 0)
			_exit(2);
		_exit(fcntl(first, F_GETFD) < 0 && fcntl(high, F_GETFD) < 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void own_path_is_absolute_and_ours(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_free char *path = proc_self_path(&err);

	(void)state;
	assert_non_null(path);
	assert_int_equal(path[0], '/');
	assert_non_null(strstr(path, "test_proc"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(exit_status_comes_back),
		cmocka_unit_test(signal_is_128_and_its_number),
		cmocka_unit_test(standard_input_is_empty),
		cmocka_unit_test(missing_program_is_an_error),
		cmocka_unit_test(output_and_status_come_back),
		cmocka_unit_test(endless_output_is_an_error_and_ends),
		cmocka_unit_test(who_is_captured_does_not_ignore_what_we_do),
		cmocka_unit_test(what_a_user_has_ignored_stays_so),
		cmocka_unit_test(a_missing_program_has_no_output),
		cmocka_unit_test(an_answer_and_its_status_come_back),
		cmocka_unit_test(who_is_asked_gets_nothing_of_ours),
		cmocka_unit_test(who_is_asked_cannot_keep_us),
		cmocka_unit_test(who_has_closed_its_output_is_ended),
		cmocka_unit_test(who_is_no_child_any_more_is_not_killed),
		cmocka_unit_test(closes_from_the_first_on_and_not_before),
		cmocka_unit_test(own_path_is_absolute_and_ours),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
