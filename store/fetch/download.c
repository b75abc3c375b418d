/* Tries, resumption, and what proves that two answers are about the same bytes. */
#include "store/fetch/download.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/time.h"
#include "store/fetch/spool.h"

#define TRIES_USUAL     5
#define WAIT_MS_USUAL   1000
#define RETRY_AFTER_MAX 120 /* seconds; who wants more is not waited for */
#define FIELDS_MAX      6

/* Room that is left on the disk for others. */
#define DISK_RESERVE (64ull * 1024 * 1024)

struct work {
	const struct download_request *request;
	const char *shown; /* its URL, without user and password */
	struct http *web;
	struct spool spool;
	uint64_t have;       /* bytes in the spool file */
	uint64_t of;         /* bytes it will have; 0: not known */
	bool asked_for_rest; /* by Range */
	bool begin_again;    /* what is there is of another version */
	bool wanted;         /* this answer's body is the file, or the rest of it */
	int64_t retry_after; /* seconds the server asks for; -1: it does not */
	struct download *ret;
};

static void tell_busy(void *context)
{
	const struct work *self = context;
	auto_free char *words = xasprintf("%s: somebody else is fetching it; waiting", self->shown);

	if (self->request->tell)
		self->request->tell(self->request->context, words);
}

static void tell(const struct work *self, rkt_error *why, const char *what_now)
{
	auto_free char *words = NULL;

	if (!self->request->tell)
		return;
	words = xasprintf("%s: %s; %s", self->shown, rkt_error_message(why), what_now);
	self->request->tell(self->request->context, words);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int check_room(const struct work *self, rkt_error **err)
{
	uint64_t missing = self->of > self->have ? self->of - self->have : 0;
	struct statvfs disk;

	if (self->of > self->request->max_bytes)
		return rkt_fail(err, RKT_INVALID, "it has %llu bytes; at most %llu are taken",
			(unsigned long long)self->of, (unsigned long long)self->request->max_bytes);
	if (fstatvfs(self->request->dir, &disk) < 0)
		return rkt_fail_errno(err, "statvfs");
	if (missing + DISK_RESERVE > (uint64_t)disk.f_bavail * disk.f_frsize)
		return rkt_fail(err, RKT_FAILED, "%llu bytes more do not fit on the disk",
			(unsigned long long)missing);
	return 0;
}

/* 200: the whole file, from its start. */
static int take_whole(struct work *self, const struct http_answer *answer, rkt_error **err)
{
	self->of = answer->length > 0 ? (uint64_t)answer->length : 0;
	self->have = 0;
	self->wanted = true;
	if (spool_restart(&self->spool, answer, err) < 0)
		return -1;
	return check_room(self, err);
}

/* 206: the rest, if it is that of the same version. There are servers that ignore If-Range: what
 * the answer says decides. */
static int take_rest(struct work *self, const struct http_answer *answer, rkt_error **err)
{
	struct content_range range;

	if (!self->asked_for_rest || !spool_is_same(&self->spool, answer) ||
		!http_content_range(answer, &range) || !range.has_range ||
		range.first != self->have) {
		self->begin_again = true;
		return rkt_fail(err, RKT_FAILED, "the file has changed meanwhile");
	}
	self->of = range.has_total ? range.total : range.last + 1;
	self->wanted = true;
	return check_room(self, err);
}

static int begin(void *context, const struct http_answer *answer, rkt_error **err)
{
	struct work *self = context;

	if (answer->status == 200)
		return take_whole(self, answer, err);
	return answer->status == 206 ? take_rest(self, answer, err) : 0;
}

static int take(void *context, struct slice bytes, rkt_error **err)
{
	struct work *self = context;

	if (!self->wanted) /* a page about what is wrong */
		return 0;
	if (self->have + bytes.len > self->request->max_bytes)
		return rkt_fail(err, RKT_INVALID, "it has more than %llu bytes",
			(unsigned long long)self->request->max_bytes);
	if (fd_pwrite_all(self->spool.fd, bytes.data, bytes.len, self->have, err) < 0)
		return -1;
	if (self->request->arrived && self->request->arrived(self->request->context, self->spool.fd,
					      self->have, bytes, err) < 0)
		return -1;
	self->have += bytes.len;
	if (self->request->progress)
		self->request->progress(self->request->context, self->have, self->of);
	return 0;
}

/* ---- one try --------------------------------------------------------------------------------- */

struct fields {
	char *lines[FIELDS_MAX];
	size_t count;
};

static void fields_free(struct fields *self)
{
	while (self->count)
		free(self->lines[--self->count]);
}
#define auto_fields __attribute__((cleanup(fields_free)))

/* Asks for the rest where the version is known, else only for what is new. */
static void choose_fields(struct work *self, struct fields *fields)
{
	const struct download_request *request = self->request;
	const char *proof = self->have ? spool_proof(&self->spool) : NULL;

	self->asked_for_rest = proof;
	/* all of it is here: its last byte once more, because no server has less to send */
	if (proof && self->spool.length > 0 && self->have == (uint64_t)self->spool.length)
		self->have--;
	if (proof) {
		fields->lines[fields->count++] =
			xasprintf("Range: bytes=%llu-", (unsigned long long)self->have);
		fields->lines[fields->count++] = xasprintf("If-Range: %s", proof);
		return;
	}
	if (request->etag)
		fields->lines[fields->count++] = xasprintf("If-None-Match: %s", request->etag);
	if (request->last_modified)
		fields->lines[fields->count++] =
			xasprintf("If-Modified-Since: %s", request->last_modified);
}

/* What people should know of a status; NULL: its number has to do. */
static const char *words_of(int status)
{
	switch (status) {
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

static int fail_status(struct work *self, struct http_answer *answer, rkt_error **err)
{
	int status = answer->status;
	const char *words = words_of(status), *wait = http_field(answer, "retry-after");

	answer->may_pass = status == 408 || status == 429 || (status >= 500 && status != 501);
	if (answer->may_pass && wait)
		retry_after_parse((struct slice){ (const uint8_t *)wait, strlen(wait) },
			time_now_sec(), &self->retry_after);
	return rkt_fail(err, status == 404 || status == 410 ? RKT_MISSING : RKT_FAILED,
		"the server answered %d%s%s", status, words ? ": " : "", words ? words : "");
}

static int judge(struct work *self, rkt_error **err)
{
	struct http_answer *answer = &self->ret->answer;

	switch (answer->status) {
	case 200:
	case 206:
		if (self->of && self->have != self->of) {
			answer->may_pass = true;
			return rkt_fail(err, RKT_FAILED, "%llu bytes came of %llu",
				(unsigned long long)self->have, (unsigned long long)self->of);
		}
		self->ret->outcome = DOWNLOAD_NEW;
		return 0;
	case 202:
		self->ret->outcome = DOWNLOAD_LATER;
		return 0;
	case 304:
		if (self->asked_for_rest || (!self->request->etag && !self->request->last_modified))
			return fail_status(self, answer, err); /* nobody asked that */
		self->ret->outcome = DOWNLOAD_UNCHANGED;
		return 0;
	case 416:
		self->begin_again = true;
		return rkt_fail(err, RKT_FAILED, "the file has changed meanwhile");
	default:
		return fail_status(self, answer, err);
	}
}

static int try_once(struct work *self, rkt_error **err)
{
	auto_fields struct fields fields = { .count = 0 };
	const char *lines[FIELDS_MAX + 1] = { NULL };
	struct http_request request = { .url = self->request->url,
		.fields = lines,
		.max_bytes = self->request->max_bytes,
		.begin = begin,
		.body = take,
		.context = self };

	self->begin_again = self->wanted = false;
	self->retry_after = -1;
	choose_fields(self, &fields);
	for (size_t i = 0; i < fields.count; i++)
		lines[i] = fields.lines[i];
	http_answer_free(&self->ret->answer);
	if (http_get(self->web, &request, &self->ret->answer, err) < 0)
		return -1;
	return judge(self, err);
}

/* ---- tries ----------------------------------------------------------------------------------- */

/* Three quarters to five quarters of the time, so that many clients do not come back at once. */
static uint64_t wait_of(const struct work *self, unsigned number)
{
	uint64_t ms = self->request->wait_ms ? self->request->wait_ms : WAIT_MS_USUAL;
	struct timespec now;

	ms <<= number < 6 ? number : 6;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = ms * (96 + (uint64_t)now.tv_nsec / 1000 % 64) / 128;
	if (self->retry_after > 0 && ms < (uint64_t)self->retry_after * 1000)
		ms = (uint64_t)self->retry_after * 1000;
	return ms;
}

static void sleep_ms(uint64_t ms)
{
	struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

/* Whether it is tried again after WHY; if so, that was told and waited for. */
static bool tries_again(struct work *self, unsigned number, rkt_error *why)
{
	unsigned tries = self->request->tries ? self->request->tries : TRIES_USUAL;
	auto_free char *what_now = NULL;
	uint64_t ms;

	if (self->begin_again && self->have && number < tries) {
		self->have = 0;
		tell(self, why, "begun again");
		return true;
	}
	if (!self->ret->answer.may_pass || number + 1 >= tries ||
		self->retry_after > RETRY_AFTER_MAX)
		return false;
	ms = wait_of(self, number);
	what_now = xasprintf("try %u of %u in %llu.%llu s", number + 2, tries,
		(unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000 / 100));
	tell(self, why, what_now);
	sleep_ms(ms);
	return true;
}

static int try_often(struct work *self, rkt_error **err)
{
	for (unsigned number = 0;; number++) {
		auto_error rkt_error *why = NULL;

		if (try_once(self, &why) == 0)
			return 0;
		if (tries_again(self, number, why))
			continue;
		rkt_fail_with(err, pass_ptr(why));
		return rkt_fail_outer(err, "%s", self->shown);
	}
}

int download(struct http *web, const struct download_request *request, struct download *ret,
	rkt_error **err)
{
	auto_free char *shown = http_url_shown(request->url, err);
	struct work self = {
		.request = request, .shown = shown, .web = web, .spool = SPOOL_EMPTY, .ret = ret
	};
	const struct spool_waiting waiting = { tell_busy, &self };
	int result = 0;

	if (!shown || spool_open(&self.spool, request->dir, request->name, &waiting, &self.have,
			      err) < 0) {
		spool_close(&self.spool); /* nor is it ours to remove */
		return -1;
	}
	if (self.spool.waited && request->share)
		ret->outcome = DOWNLOAD_WAITED;
	else
		result = try_often(&self, err);
	if (result == 0 && ret->outcome == DOWNLOAD_NEW) {
		ret->fd = pass_fd(self.spool.fd);
		ret->size = self.have;
		if (lseek(ret->fd, 0, SEEK_SET) < 0)
			result = rkt_fail_errno(err, "lseek");
	} else if (!self.have || !spool_proof(&self.spool)) {
		spool_forget(request->dir, request->name);
	}
	spool_close(&self.spool);
	return result;
}

void download_close(struct download *self)
{
	scope_close(&self->fd);
	http_answer_free(&self->answer);
	*self = (struct download)DOWNLOAD_EMPTY;
}

void download_forget(int dir, const char *name)
{
	spool_forget(dir, name);
}
