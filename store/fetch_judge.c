/* A pipe to a thread that asks gpg. */
#include "store/fetch_judge.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

#define BLOCK_SIZE (256u * 1024)

struct judging {
	struct signing *signing;
	struct slice signature;
	uint64_t fed; /* bytes given to gpg */
	bool running; /* there is a thread */
	int in, out;  /* the pipe: what gpg reads, and our end; -1: closed */
	pthread_t thread;
	/* of the thread, until it is joined */
	struct trust_result verdict;
	rkt_error *error;
	int result;
};

static void *ask(void *context)
{
	judging *self = context;

	self->result = trust_verify(
		self->signing->home, self->signature, self->in, &self->verdict, &self->error);
	scope_close(&self->in); /* who writes hears that nobody reads any more */
	self->in = -1;
	return NULL;
}

static int start(judging *self, rkt_error **err)
{
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return rkt_fail_errno(err, "pipe");
	self->in = ends[0];
	self->out = ends[1];
	self->fed = 0;
	code = pthread_create(&self->thread, NULL, ask, self);
	if (code) {
		scope_close(&self->in);
		scope_close(&self->out);
		self->in = self->out = -1;
		errno = code;
		return rkt_fail_errno(err, "start a thread");
	}
	self->running = true;
	return 0;
}

/* Lets the thread come to its end; what it found is in SELF. */
static void join(judging *self)
{
	scope_close(&self->out);
	self->out = -1;
	if (self->running)
		pthread_join(self->thread, NULL);
	self->running = false;
}

static void forget(judging *self)
{
	join(self);
	trust_result_free(&self->verdict);
	rkt_error_free(pass_ptr(self->error));
	self->verdict = (struct trust_result){ 0 };
}

/* gpg may have stopped reading, of something that is no signature say: that is no error here. */
static int give(judging *self, struct slice bytes, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	self->fed += bytes.len;
	if (self->out < 0 || fd_write_all(self->out, bytes.data, bytes.len, &why) == 0)
		return 0;
	if (rkt_error_errno(why) != EPIPE)
		return rkt_fail_with(err, pass_ptr(why));
	scope_close(&self->out);
	self->out = -1;
	return 0;
}

/* Gives what FD has up to OFFSET. */
static int catch_up(judging *self, int fd, uint64_t offset, rkt_error **err)
{
	auto_free uint8_t *block = NULL;

	if (!self->running && start(self, err) < 0)
		return -1;
	block = self->fed < offset ? xmalloc(BLOCK_SIZE) : NULL;
	while (self->fed < offset) {
		size_t want =
			offset - self->fed < BLOCK_SIZE ? (size_t)(offset - self->fed) : BLOCK_SIZE;
		ssize_t got = fd_pread_full(fd, block, want, self->fed, err);

		if (got < 0)
			return -1;
		if ((size_t)got < want)
			return rkt_fail(err, RKT_FAILED, "the spool file was cut meanwhile");
		if (give(self, (struct slice){ block, want }, err) < 0)
			return -1;
	}
	return 0;
}

int judging_feed(judging *self, int fd, uint64_t offset, struct slice bytes, rkt_error **err)
{
	if (offset < self->fed)
		forget(self);
	if (catch_up(self, fd, offset, err) < 0)
		return -1;
	return give(self, bytes, err);
}

int judging_end(judging *self, int fd, uint64_t size, struct trust_result *ret, rkt_error **err)
{
	if (size < self->fed)
		forget(self);
	if (catch_up(self, fd, size, err) < 0)
		return -1;
	join(self);
	if (self->result < 0)
		return rkt_fail_with(err, pass_ptr(self->error));
	*ret = self->verdict;
	self->verdict = (struct trust_result){ 0 };
	return 0;
}

judging *judging_new(struct signing *signing, struct slice signature)
{
	judging *self = xcalloc(1, sizeof *self);

	self->signing = signing;
	self->signature = signature;
	self->in = self->out = -1;
	return self;
}

void judging_free(judging *self)
{
	if (!self)
		return;
	forget(self);
	free(self);
}
