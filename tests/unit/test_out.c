/* What people see: tables, words, the progress line, and how errors end a program. */
#include "tests/unit/scratch.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/fd.h"
#include "cli/main.h"
#include "cli/out.h"
#include "cli/progress.h"

/* What SPEAK says on descriptor FD, run in a child so that the settings of out.h stay there. The
 * text lives until the next call; *RET_STATUS may be NULL. */
static const char *heard(int fd, int (*speak)(void), int *ret_status)
{
	static char text[4096];
	int file = memfd_create("heard", 0), status;
	ssize_t len;
	pid_t pid;

	assert_true(file >= 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(file, fd);
		out_set_program("rkt-test import");
		status = speak();
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	len = pread(file, text, sizeof text - 1, 0);
	assert_true(len >= 0);
	text[len] = '\0';
	close(file);
	if (ret_status)
		*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return text;
}

static int speak_table(void)
{
	static const char *const headings[] = { "ID", "NAME", "SIZE", NULL };
	struct out_table *table = out_table_new(headings);

	out_table_cell(table, "sha256-12345678");
	out_table_cell(table, "a");
	out_table_cell(table, "");
	out_table_cell(table, "x");
	out_table_cell(table, "\xc3\xbc-long-name");
	out_table_cell(table, "1 MiB");
	out_table_end(table);
	return 0;
}

static void columns_line_up_without_trailing_space(void **state)
{
	(void)state;
	assert_string_equal(heard(STDOUT_FILENO, speak_table, NULL),
		"ID               NAME         SIZE\n"
		"sha256-12345678  a\n"
		"x                \xc3\xbc-long-name  1 MiB\n");
}

static int speak_pairs(void)
{
	struct out_table *table = out_table_new(NULL);

	out_table_cell(table, "name");
	out_table_cell(table, "forged\nid  x\033[2J");
	out_table_end(table);
	return 0;
}

static void cells_are_escaped(void **state)
{
	(void)state;
	assert_string_equal(
		heard(STDOUT_FILENO, speak_pairs, NULL), "name  forged\\nid  x\\x1b[2J\n");
}

static int speak_empty_table(void)
{
	static const char *const headings[] = { "ID", "NAME", NULL };

	out_table_end(out_table_new(headings));
	return 0;
}

static void an_empty_table_is_its_head(void **state)
{
	(void)state;
	assert_string_equal(heard(STDOUT_FILENO, speak_empty_table, NULL), "ID  NAME\n");
}

static int speak_words(void)
{
	out_warning("no \033[31m%s", "a\nb");
	out_debug("hidden");
	out_set_debug(true);
	out_debug("shown");
	out_note("said");
	out_set_quiet(true);
	out_note("not said");
	return 0;
}

static void words_are_escaped_and_named(void **state)
{
	(void)state;
	assert_string_equal(heard(STDERR_FILENO, speak_words, NULL),
		"rkt-test: warning: no \\x1b[31ma\\nb\n"
		"rkt-test: shown\n"
		"rkt-test: said\n");
}

static int speak_json(void)
{
	json *object = json_new_object();

	json_set(object, "id", json_new_string("x"));
	out_json(object);
	json_free(object);
	return 0;
}

static void json_is_compact_in_a_pipe(void **state)
{
	(void)state;
	assert_string_equal(heard(STDOUT_FILENO, speak_json, NULL), "{\"id\":\"x\"}\n");
}

static void wait_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static int speak_progress(void)
{
	struct progress *progress = progress_start("importing \033[2J", 1 << 20);

	wait_ms(600);
	for (uint64_t i = 0; i < 32; i++)
		progress_callback(progress, 1 << 19);
	out_note("meanwhile");
	progress_end(progress);
	return 0;
}

static void progress_is_silent_in_a_pipe(void **state)
{
	(void)state;
	assert_string_equal(heard(STDERR_FILENO, speak_progress, NULL), "rkt-test: meanwhile\n");
}

/* Hands on what TERMINAL shows, in however many pieces it comes, until all of it was said. */
static int copy_screen(int terminal)
{
	struct pollfd ready = { .fd = terminal, .events = POLLIN };
	struct buf screen = { 0 };
	int failed;

	while (!strstr(buf_text(&screen), "meanwhile\r\n") && poll(&ready, 1, 5000) > 0) {
		ssize_t len = read(terminal, buf_reserve(&screen, 256), 256);

		screen.len += len > 0 ? (size_t)len : 0;
	}
	failed = fd_write_all(STDOUT_FILENO, screen.data, screen.len, NULL) < 0;
	buf_free(&screen);
	return failed;
}

static int speak_progress_on_terminal(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), side;

	if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0)
		return 1;
	side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	if (side < 0 || dup2(side, STDERR_FILENO) < 0)
		return 1;
	speak_progress();
	return copy_screen(terminal);
}

static void progress_is_wiped_before_other_words(void **state)
{
	int status;
	const char *text = heard(STDOUT_FILENO, speak_progress_on_terminal, &status);

	(void)state;
	assert_int_equal(status, 0);
	assert_ptr_equal(
		strstr(text, "\r\033[Kimporting \\x1b[2J  512.0 KiB of 1.0 MiB   50%  "), text);
	assert_non_null(strstr(text, " left\r\033[Krkt-test: meanwhile\r\n"));
}

static int fail_invalid(int argc, char **argv, rkt_error **err)
{
	(void)argc, (void)argv;
	return rkt_fail(err, RKT_INVALID, "tar: \033 truncated \\ header");
}

static int speak_invalid(void)
{
	char name[] = "/usr/bin/rkt-test";

	return cli_main(1, (char *[]){ name, NULL }, fail_invalid, 0);
}

static void an_error_is_one_line_and_its_kind(void **state)
{
	int status;

	(void)state;
	assert_string_equal(heard(STDERR_FILENO, speak_invalid, &status),
		"rkt-test: tar: \\x1b truncated \\\\ header\n");
	assert_int_equal(status, RKT_INVALID);
}

static int speak_invalid_runner(void)
{
	char name[] = "rkt-run";

	return cli_main(1, (char *[]){ name, NULL }, fail_invalid, 254);
}

static void the_runner_fails_with_254(void **state)
{
	int status;

	(void)state;
	heard(STDERR_FILENO, speak_invalid_runner, &status);
	assert_int_equal(status, 254);
}

static int fail_usage(int argc, char **argv, rkt_error **err)
{
	(void)argc, (void)argv;
	out_set_program("rkt-test import");
	return rkt_fail(err, RKT_USAGE, "no");
}

static int speak_usage(void)
{
	char name[] = "rkt-test";

	return cli_main(1, (char *[]){ name, NULL }, fail_usage, 254);
}

static void wrong_usage_is_2_and_points_to_help(void **state)
{
	int status;

	(void)state;
	assert_string_equal(heard(STDERR_FILENO, speak_usage, &status),
		"rkt-test: no\nTry 'rkt-test import --help'.\n");
	assert_int_equal(status, 2);
}

static int print_and_succeed(int argc, char **argv, rkt_error **err)
{
	(void)argc, (void)argv, (void)err;
	return printf("result\n") > 0 ? 0 : 1;
}

static int speak_to_full_disk(void)
{
	char name[] = "rkt-test";

	dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
	return cli_main(1, (char *[]){ name, NULL }, print_and_succeed, 0);
}

static void a_full_disk_is_a_failure(void **state)
{
	int status;

	(void)state;
	assert_string_equal(heard(STDERR_FILENO, speak_to_full_disk, &status),
		"rkt-test: write to standard output: No space left on device\n");
	assert_int_equal(status, 1);
}

static int count_descriptors(int argc, char **argv, rkt_error **err)
{
	(void)argc, (void)argv, (void)err;
	return fcntl(0, F_GETFD) == 0 && fcntl(1, F_GETFD) == 0 && fcntl(2, F_GETFD) == 0 ? 7 : 1;
}

static int speak_with_all_closed(void)
{
	char name[] = "rkt-test";

	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	return cli_main(1, (char *[]){ name, NULL }, count_descriptors, 0);
}

static void closed_descriptors_are_opened(void **state)
{
	int status;

	(void)state;
	heard(STDOUT_FILENO, speak_with_all_closed, &status);
	assert_int_equal(status, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_line_up_without_trailing_space),
		cmocka_unit_test(cells_are_escaped),
		cmocka_unit_test(an_empty_table_is_its_head),
		cmocka_unit_test(words_are_escaped_and_named),
		cmocka_unit_test(json_is_compact_in_a_pipe),
		cmocka_unit_test(progress_is_silent_in_a_pipe),
		cmocka_unit_test(progress_is_wiped_before_other_words),
		cmocka_unit_test(an_error_is_one_line_and_its_kind),
		cmocka_unit_test(the_runner_fails_with_254),
		cmocka_unit_test(wrong_usage_is_2_and_points_to_help),
		cmocka_unit_test(a_full_disk_is_a_failure),
		cmocka_unit_test(closed_descriptors_are_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
