/*
 * rkt-read-page: what the HTML page on standard input says of images, as the lines of page_tags.h.
 * Not for people: rkt-store fetch and trust run it (page_ask.h). Pages are hostile, and
 * libxml2 is large: who has taken over this process has found no secret, and the kernel kills him
 * at any system call but a few that use memory and the three standard files (only_calls.h). Where
 * there is no filter for this kernel or machine, he still opens no file, makes no socket, starts no
 * process and has no capability; what needs no descriptor, as kill(2) and unlink(2), he may do as
 * the user who fetches, and where that is root, as nobody, if there is one.
 */
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/only_calls.h"
#include "base/proc.h"
#include "base/sanitized.h"
#include "cli/main.h"
#include "cli/out.h"
#include "store/fetch/page.h"

#define NOBODY 65534

/* ---- giving up ------------------------------------------------------------------------------- */

struct limit {
	int resource;
	rlim_t most;
};

static const struct limit limits[] = {
	{ RLIMIT_CPU, 10 },
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_FSIZE, PAGE_ANSWER_MAX },
};

static const struct limit tight_limits[] = {
	{ RLIMIT_AS, (rlim_t)256 << 20 },
	{ RLIMIT_NOFILE, 0 }, /* what is open stays; closing it frees no number */
	{ RLIMIT_NPROC, 0 },
};

static int set_limits(const struct limit *limit, size_t count, rkt_error **err)
{
	for (; count; limit++, count--) {
		struct rlimit now;

		if (getrlimit(limit->resource, &now) < 0)
			return rkt_fail_errno(err, "getrlimit");
		if (now.rlim_max > limit->most)
			now.rlim_max = limit->most;
		now.rlim_cur = now.rlim_max;
		if (setrlimit(limit->resource, &now) < 0)
			return rkt_fail_errno(err, "setrlimit");
	}
	return 0;
}

/* False: there is nobody else that we may become, as in some containers. */
static bool become_nobody(void)
{
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/* As root stays when there is nobody to become, and as some services start who is not root. */
static int drop_capabilities(rkt_error **err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &head, none) < 0 ? rkt_fail_errno(err, "capset") : 0;
}

/* What a parser in memory does, malloc() for it, and a program that ends. */
static int keep_few_calls(rkt_error **err)
{
	static const int few[] = {
		__NR_read,
		__NR_write,
		__NR_brk,
		__NR_mmap,
		__NR_mremap,
		__NR_munmap,
		__NR_madvise,
		__NR_rt_sigreturn,
		__NR_exit,
		__NR_exit_group,
	};
	int missing = only_calls(few, ARRAY_LEN(few), err);

	if (missing > 0)
		out_debug("the kernel has no filter for system calls");
	return missing < 0 ? -1 : 0;
}

/* All that reading and printing do without. */
static int give_up(rkt_error **err)
{
	if (proc_close_from(STDERR_FILENO + 1, err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return rkt_fail_errno(err, "no_new_privs");
	if (set_limits(limits, ARRAY_LEN(limits), err) < 0)
		return -1;
	/* AddressSanitizer takes the address space of a whole machine, and looks for leaks as a
	 * debugger does, with files and a process of its own. */
	if (IS_SANITIZED)
		return 0;
	if (geteuid() == 0 && !become_nobody())
		out_debug("is root still: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return rkt_fail_errno(err, "undumpable");
	if (drop_capabilities(err) < 0 ||
		set_limits(tight_limits, ARRAY_LEN(tight_limits), err) < 0)
		return -1;
	return keep_few_calls(err);
}

/* ---- the program ----------------------------------------------------------------------------- */

static int work(rkt_error **err)
{
	auto_buf struct buf html = { 0 }, answer = { 0 };
	auto_page struct page page = { 0 };

	page_prepare();
	out_set_plain(); /* to ask whether stderr is a terminal is a system call */
	if (give_up(err) < 0)
		return -1;
	if (fd_read_rest(STDIN_FILENO, PAGE_SIZE_MAX, &html, err) < 0)
		return rkt_fail_outer(err, "the page");
	page_parse(buf_slice(&html), &page);
	page_print(&page, &answer);
	/* stdio would ask what kind of a file it is */
	return fd_write_all(STDOUT_FILENO, answer.data, answer.len, err);
}

static int run(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "<PAGE", NULL };
	static const char *const see_also[] = { "rkt-store-fetch(1)", "rkt-store-trust(1)", NULL };
	const struct command command = {
		.program = "rkt-read-page",
		.usage = usage,
		.summary = "read an HTML page for rkt-store fetch",
		.description =
			"Prints what the HTML page on standard input says of where images and "
			"their keys are. 'rkt-store fetch' and 'rkt-store trust' run it.",
		.see_also = see_also,
		.operands_max = 0,
	};
	int got = opts_parse(&command, argc, argv, NULL, err);

	return got > 0 ? work(err) : got;
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, 0);
}
