/* Running rkt-read-page. */
#include "store/fetch/page_ask.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/proc.h"

#define HELPER "rkt-read-page"
/* What the slowest page takes is below one. */
#define SECONDS_MAX 30

static int run(char *helper, struct slice html, struct buf *answer, rkt_error **err)
{
	auto_fd int in = fd_of_bytes(html, err);
	const struct proc_question question = {
		.in = in, .max = PAGE_ANSWER_MAX, .max_sec = SECONDS_MAX
	};
	auto_error rkt_error *why = NULL;
	int status;

	if (in < 0)
		return -1;
	status = proc_ask((char *[]){ helper, NULL }, &question, answer, &why);
	if (status < 0 && rkt_error_errno(why) == ENOENT)
		return rkt_fail(err, RKT_FAILED,
			"%s is not there, which reads it: install all of Rocket", helper);
	if (status < 0)
		return rkt_fail_with(err, pass_ptr(why));
	if (status > 128)
		return rkt_fail(err, RKT_FAILED, "%s was killed by signal %d while it read it",
			helper, status - 128);
	if (status > 0)
		return rkt_fail(err, RKT_FAILED,
			"%s ended with status %d, and says why when it is run by hand", helper,
			status);
	return 0;
}

static int ask(struct slice html, struct page *ret, rkt_error **err)
{
	auto_free char *helper = proc_helper_path(HELPER, err);
	auto_buf struct buf answer = { 0 };

	if (!helper || run(helper, html, &answer, err) < 0)
		return -1;
	if (page_read(buf_slice(&answer), ret, err) < 0)
		return rkt_fail_outer(err, "%s gave no answer", helper);
	return 0;
}

int page_ask(struct slice html, struct page *ret, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	struct page page = { .fault = PAGE_TOO_LARGE };

	if (html.len <= PAGE_SIZE_MAX && ask(html, &page, &why) < 0)
		return rkt_fail(err, RKT_FAILED,
			"%s (give the URL of the file itself to do without it)",
			rkt_error_raw(why));
	if (page.fault)
		return rkt_fail(err, RKT_INVALID, "%s", page_fault_says(page.fault));
	*ret = page;
	return 0;
}
