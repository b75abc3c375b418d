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
#include "store/fetch/parallel.h"
#include "store/fetch/spool.h"

#define BLOCK_SIZE (256u * 1024)
#define ALONE_MS   3000                 /* so long one connection has to show what it can, */
#define PART_MIN   (8ull * 1024 * 1024) /* and for less it is not worth it */
#define FIELDS_MAX 6

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
	struct tries tries;
	struct download *ret;
	/* for more connections */
	bool has_ranges;   /* the server says that it can send parts */
	uint64_t began_at; /* how much was there when this answer began, */
	int64_t began_ms;  /* and when that was */
	parallel *others;  /* NULL: there are none */
	bool reached;      /* the first of their parts */
};

static void tell_busy(void *context)
{
	const struct work *self = context;
	auto_free char *words = xasprintf("%s: somebody else is fetching it; waiting", self->shown);

	if (self->tries.tell)
		self->tries.tell(self->tries.context, words);
}

/* ---- more connections ------------------------------------------------------------------------ */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note_beginning(struct work *self, const struct http_answer *answer)
{
	const char *ranges = http_field(answer, "accept-ranges");

	self->has_ranges = answer->status == 206 || (ranges && strcmp(ranges, "bytes") == 0);
	self->began_at = self->have;
	self->began_ms = now_ms();
}

/* Parts lie on the disk twice while they are taken over. */
static bool has_room_for_parts(const struct work *self, uint64_t left)
{
	struct statvfs disk;

	return fstatvfs(self->request->dir, &disk) == 0 &&
	       2 * left + DISK_RESERVE < (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* Whether more connections would help: the file will not be here soon, and its server takes
 * them. */
static bool would_help(const struct work *self)
{
	int64_t took_ms = now_ms() - self->began_ms;
	uint64_t came = self->have - self->began_at;
	uint64_t left = self->of > self->have ? self->of - self->have : 0;

	if (self->request->connections < 2 || !self->has_ranges ||
		!spool_has_strong_tag(&self->spool))
		return false;
	return took_ms >= ALONE_MS && left >= PART_MIN &&
	       left / ALONE_MS > came / (uint64_t)took_ms && has_room_for_parts(self, left);
}

static void call_others(struct work *self)
{
	const struct parallel_request request = { .web = self->web,
		.url = self->request->url,
		.etag = self->spool.etag,
		.dir = self->request->dir,
		.from = self->have,
		.of = self->of,
		.connections = self->request->connections };

	if (!would_help(self))
		return;
	self->others = parallel_start(&request);
	if (!self->others)
		self->has_ranges = false; /* it is not tried again */
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int check_room(const struct work *self, rkt_error **err)
{
	uint64_t missing = self->of > self->have ? self->of - self->have : 0;
	struct statvfs disk;
	uint64_t is_free;

	if (self->of > self->request->max_bytes)
		return rkt_fail(err, RKT_INVALID, "it has %llu bytes; at most %llu are taken",
			(unsigned long long)self->of, (unsigned long long)self->request->max_bytes);
	if (fstatvfs(self->request->dir, &disk) < 0)
		return rkt_fail_errno(err, "statvfs");
	is_free = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (missing + DISK_RESERVE > is_free)
		return rkt_fail(err, RKT_FAILED,
			"%llu bytes more do not fit on the disk: %llu are free, and %llu are kept so",
			(unsigned long long)missing, (unsigned long long)is_free,
			(unsigned long long)DISK_RESERVE);
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

	if (!self->asked_for_rest)
		return rkt_fail(err, RKT_FAILED,
			"the server answered 206, with a part, when asked for the whole file");
	if (!spool_is_same(&self->spool, answer) || !http_content_range(answer, &range) ||
		!range.has_range || range.first != self->have) {
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

	int result = 0;

	if (answer->status == 200)
		result = take_whole(self, answer, err);
	else if (answer->status == 206)
		result = take_rest(self, answer, err);
	note_beginning(self, answer);
	return result;
}

static void show(void *context)
{
	const struct work *self = context;
	uint64_t elsewhere = self->others ? parallel_done(self->others) : 0;

	if (self->request->progress)
		self->request->progress(self->request->context, self->have + elsewhere, self->of);
}

/* Puts BYTES at the end of what is there. */
static int put(struct work *self, struct slice bytes, rkt_error **err)
{
	if (fd_pwrite_all(self->spool.fd, bytes.data, bytes.len, self->have, err) < 0)
		return -1;
	if (self->request->arrived && self->request->arrived(self->request->context, self->spool.fd,
					      self->have, bytes, err) < 0)
		return -1;
	self->have += bytes.len;
	show(self);
	return 0;
}

static int take(void *context, struct slice bytes, rkt_error **err)
{
	struct work *self = context;

	if (!self->wanted) /* a page about what is wrong */
		return 0;
	if (self->have + bytes.len > self->request->max_bytes)
		return rkt_fail(err, RKT_INVALID, "it has more than %llu bytes",
			(unsigned long long)self->request->max_bytes);
	if (self->others && self->have + bytes.len >= parallel_end_of_first(self->others)) {
		bytes.len = (size_t)(parallel_end_of_first(self->others) - self->have);
		self->reached = true;
	}
	if (put(self, bytes, err) < 0)
		return -1;
	if (self->reached)
		return rkt_fail(err, RKT_FAILED, "others fetch the rest");
	if (!self->others)
		call_others(self);
	return 0;
}

/* Takes over what the others fetched, in its order. What is missing in the end is asked for
 * anew. */
static int take_parts(struct work *self, rkt_error **err)
{
	auto_free uint8_t *block = xmalloc(BLOCK_SIZE);
	uint64_t len;
	int fd;

	while (parallel_next(self->others, show, self, &fd, &len))
		for (uint64_t at = 0; at < len;) {
			size_t want = len - at < BLOCK_SIZE ? (size_t)(len - at) : BLOCK_SIZE;

			if (fd_pread_full(fd, block, want, at, err) != (ssize_t)want ||
				put(self, (struct slice){ block, want }, err) < 0)
				return -1;
			at += want;
		}
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

/* Whether STATUS may be about the question for the rest, which the server, or somebody on the way,
 * does not know: asked for the file it may do better. */
static bool is_about_rest(int status)
{
	return status == 304 || status == 400 || status == 412 || status == 416 || status == 501;
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
			break; /* nobody asked that */
		self->ret->outcome = DOWNLOAD_UNCHANGED;
		return 0;
	default:
		break;
	}
	self->begin_again = self->asked_for_rest && is_about_rest(answer->status);
	if (self->begin_again && answer->status == 416)
		return rkt_fail(err, RKT_FAILED, "the file has changed meanwhile");
	return tries_fail_status(answer, err);
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
	auto_error rkt_error *why = NULL;
	int result;

	self->begin_again = self->wanted = self->reached = false;
	choose_fields(self, &fields);
	for (size_t i = 0; i < fields.count; i++)
		lines[i] = fields.lines[i];
	http_answer_free(&self->ret->answer);
	result = http_get(self->web, &request, &self->ret->answer, &why);
	if (self->reached) {
		rkt_error_free(pass_ptr(why)); /* it was ended */
		result = take_parts(self, &why);
	}
	parallel_free(self->others);
	self->others = NULL;
	return result < 0 ? rkt_fail_with(err, pass_ptr(why)) : judge(self, err);
}

/* ---- tries ----------------------------------------------------------------------------------- */

static bool tries_on(struct work *self, rkt_error *why)
{
	if (!self->begin_again || !self->have || self->tries.failed >= self->tries.most)
		return tries_again(&self->tries, &self->ret->answer, self->shown, why);
	self->have = 0;
	self->tries.failed++;
	tries_tell(&self->tries, self->shown, why, "begun again");
	return true;
}

static int try_often(struct work *self, rkt_error **err)
{
	for (;;) {
		auto_error rkt_error *why = NULL;

		if (try_once(self, &why) == 0)
			return 0;
		if (tries_on(self, why))
			continue;
		rkt_fail_with(err, pass_ptr(why));
		return rkt_fail_outer(err, "%s", self->shown);
	}
}

int download(struct http *web, const struct download_request *request, struct download *ret,
	rkt_error **err)
{
	auto_free char *shown = http_url_shown(request->url, err);
	struct work self = { .request = request,
		.shown = shown,
		.web = web,
		.spool = SPOOL_EMPTY,
		.ret = ret,
		.tries = request->tries };
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
