/* What servers say that do not give what was asked for, and when to ask again. */
#include "store/fetch/tries.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/time.h"
#include "store/fetch/header.h"

#define WAIT_MS_USUAL   1000
#define RETRY_AFTER_MAX 120 /* seconds; who wants more is not waited for */

struct tries tries_usual(void (*tell)(void *context, const char *words), void *context)
{
	return (struct tries){ TRIES_USUAL, WAIT_MS_USUAL, false, tell, context, 0 };
}

/* What people should know of a status; NULL: its number has to do. */
static const char *words_of(int status)
{
	switch (status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return "a redirect that does not say where to";
	case 400:
		return "bad request";
	case 401:
		return "who are you? (credentials are missing or wrong)";
	case 403:
		return "forbidden";
	case 404:
		return "not found";
	case 407:
		return "the proxy wants credentials";
	case 410:
		return "gone for good";
	case 429:
		return "too many requests";
	case 500:
		return "internal error";
	case 502:
	case 504:
		return "no answer from behind the gateway";
	case 503:
		return "not available now";
	default:
		return NULL;
	}
}

/* How many seconds the server wants to be left alone; -1: it does not say. */
static int64_t wanted_wait(const struct http_answer *answer)
{
	const char *wait = http_field(answer, "retry-after");
	int64_t sec;

	if (!wait || !http_status_may_pass(answer->status) ||
		!retry_after_parse(slice_of_text(wait), time_now_sec(), &sec))
		return -1;
	return sec;
}

int tries_fail_status(const struct http_answer *answer, rkt_error **err)
{
	int status = answer->status;
	const char *words = words_of(status);
	int64_t wait = wanted_wait(answer);
	auto_free char *later = NULL;

	if (wait > RETRY_AFTER_MAX)
		later = xasprintf("; it wants to be left alone for %lld s", (long long)wait);
	return rkt_fail(err, status == 404 || status == 410 ? RKT_MISSING : RKT_FAILED,
		"the server answered %d%s%s%s", status, words ? ": " : "", words ? words : "",
		later ? later : "");
}

/* Three quarters to five quarters of the time, so that many clients do not come back at once. */
static uint64_t wait_of(const struct tries *self, int64_t wanted_sec)
{
	uint64_t ms = (uint64_t)self->wait_ms << (self->failed < 6 ? self->failed : 6);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = ms * (96 + (uint64_t)now.tv_nsec / 1000 % 64) / 128;
	if (wanted_sec > 0 && ms < (uint64_t)wanted_sec * 1000)
		ms = (uint64_t)wanted_sec * 1000;
	return ms;
}

static void sleep_ms(uint64_t ms)
{
	struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

void tries_tell(const struct tries *self, const char *shown, rkt_error *why, const char *what_now)
{
	auto_free char *words = NULL;

	if (!self->tell)
		return;
	words = xasprintf("%s: %s; %s", shown, rkt_error_raw(why), what_now);
	self->tell(self->context, words);
}

bool tries_again(
	struct tries *self, const struct http_answer *answer, const char *shown, rkt_error *why)
{
	auto_free char *what_now = NULL;
	int64_t wanted = wanted_wait(answer);
	uint64_t ms;

	if (!answer->may_pass || (self->of_answers && !answer->status))
		return false;
	if (self->failed + 1 >= self->most || wanted > RETRY_AFTER_MAX)
		return false;
	ms = wait_of(self, wanted);
	self->failed++;
	what_now = xasprintf("try %u of %u in %llu.%llu s", self->failed + 1, self->most,
		(unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000 / 100));
	tries_tell(self, shown, why, what_now);
	sleep_ms(ms);
	return true;
}

static int take(void *context, struct slice bytes, rkt_error **err)
{
	(void)err;
	buf_append(context, bytes.data, bytes.len);
	return 0;
}

int tries_get(http *web, const char *url, uint64_t max, struct tries *tries, struct buf *ret,
	rkt_error **err)
{
	const struct http_request request = {
		.url = url, .max_bytes = max, .body = take, .context = ret
	};
	auto_free char *shown = http_url_shown(url, err);

	while (shown) {
		auto_http_answer struct http_answer answer = { .length = -1 };
		auto_error rkt_error *why = NULL;

		ret->len = 0;
		if (http_get(web, &request, &answer, &why) == 0 &&
			(answer.status == 200 || tries_fail_status(&answer, &why) == 0))
			return 0;
		if (!tries_again(tries, &answer, shown, why))
			return rkt_fail_with(err, pass_ptr(why));
	}
	return -1;
}
