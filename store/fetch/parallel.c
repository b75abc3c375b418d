/* Threads, each with a connection and a part of the file. */
#include "store/fetch/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"

#define TICK_NS 200000000

struct part {
	struct parallel *all;
	uint64_t first, len; /* of the file */
	int fd;
	_Atomic uint64_t done; /* bytes in FD */
	bool started, ended;   /* under the lock */
	pthread_t thread;
};

struct parallel {
	char *url, *etag;
	struct http_options options;
	_Atomic bool stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t count, taken;
	struct part parts[PARALLEL_MAX - 1];
};

/* ---- one part -------------------------------------------------------------------------------- */

static int begin(void *context, const struct http_answer *answer, rkt_error **err)
{
	struct part *self = context;
	const char *text = http_field(answer, "etag"), *wanted = self->all->etag;
	struct etag etag, ours;
	struct content_range range;

	if (answer->status == 206 && text && etag_parse(slice_of_text(text), &etag) &&
		etag_parse(slice_of_text(wanted), &ours) && etag_same(&etag, &ours) &&
		http_content_range(answer, &range) && range.has_range &&
		range.first == self->first && range.last == self->first + self->len - 1)
		return 0;
	return rkt_fail(err, RKT_FAILED, "this is not the part that was asked for");
}

static int take(void *context, struct slice bytes, rkt_error **err)
{
	struct part *self = context;
	uint64_t done = atomic_load(&self->done);

	if (atomic_load(&self->all->stop) || bytes.len > self->len - done)
		return rkt_fail(err, RKT_FAILED, "given up");
	if (fd_pwrite_all(self->fd, bytes.data, bytes.len, done, err) < 0)
		return -1;
	atomic_store(&self->done, done + bytes.len);
	return 0;
}

static void fetch(struct part *self)
{
	auto_http struct http *web = http_new(&self->all->options);
	auto_http_answer struct http_answer answer = { .length = -1 };
	auto_free char *range = xasprintf("Range: bytes=%llu-%llu", (unsigned long long)self->first,
		(unsigned long long)(self->first + self->len - 1));
	auto_free char *proof = xasprintf("If-Range: %s", self->all->etag);
	const char *fields[] = { range, proof, NULL };
	const struct http_request request = { .url = self->all->url,
		.fields = fields,
		.max_bytes = self->len,
		.begin = begin,
		.body = take,
		.context = self };

	/* what is missing is fetched by who began, who says what goes wrong */
	(void)http_get(web, &request, &answer, NULL);
}

static void *work(void *context)
{
	struct part *self = context;

	fetch(self);
	pthread_mutex_lock(&self->all->lock);
	self->ended = true;
	pthread_cond_broadcast(&self->all->changed);
	pthread_mutex_unlock(&self->all->lock);
	return NULL;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static bool start_part(struct parallel *self, int dir, uint64_t first, uint64_t len)
{
	struct part *part = &self->parts[self->count];

	*part = (struct part){ .all = self, .first = first, .len = len };
	part->fd = fd_scratch(dir, NULL);
	if (part->fd < 0)
		return false;
	part->started = !pthread_create(&part->thread, NULL, work, part);
	self->count++;
	return part->started;
}

parallel *parallel_start(const struct parallel_request *request)
{
	uint64_t left = request->of - request->from, each = left / request->connections;
	auto_parallel parallel *self = xcalloc(1, sizeof *self);

	self->url = xstrdup(request->url);
	self->etag = xstrdup(request->etag);
	self->options = *http_own_options(request->web);
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->changed, NULL);
	for (unsigned i = 1; i < request->connections && i < PARALLEL_MAX; i++) {
		uint64_t first = request->from + i * each;
		uint64_t end = i + 1 == request->connections ? request->of : first + each;

		if (!start_part(self, request->dir, first, end - first))
			return NULL;
	}
	return self->count ? pass_ptr(self) : NULL;
}

uint64_t parallel_end_of_first(const parallel *self)
{
	return self->parts[0].first;
}

uint64_t parallel_done(const parallel *self)
{
	uint64_t sum = 0;

	for (size_t i = self->taken; i < self->count; i++)
		sum += atomic_load(&self->parts[i].done);
	return sum;
}

static void wait_for(struct part *part, void (*tick)(void *context), void *context)
{
	struct parallel *self = part->all;
	struct timespec until = time_in_ns(TICK_NS);

	pthread_mutex_lock(&self->lock);
	while (!part->ended) {
		if (time_wait(&self->changed, &self->lock, &until) == 0)
			continue;
		pthread_mutex_unlock(&self->lock);
		if (tick)
			tick(context);
		until = time_in_ns(TICK_NS);
		pthread_mutex_lock(&self->lock);
	}
	pthread_mutex_unlock(&self->lock);
}

int parallel_next(
	parallel *self, void (*tick)(void *context), void *context, int *ret_fd, uint64_t *ret_len)
{
	struct part *before = self->taken ? &self->parts[self->taken - 1] : NULL;
	struct part *part = &self->parts[self->taken];

	if (before) { /* its bytes were taken: the disk has them once again */
		scope_close(&before->fd);
		before->fd = -1;
	}
	if (self->taken == self->count || (before && atomic_load(&before->done) < before->len))
		return 0;
	wait_for(part, tick, context);
	self->taken++;
	*ret_fd = part->fd;
	*ret_len = atomic_load(&part->done);
	return *ret_len > 0;
}

void parallel_free(parallel *self)
{
	if (!self)
		return;
	atomic_store(&self->stop, true);
	for (size_t i = 0; i < self->count; i++) {
		if (self->parts[i].started)
			pthread_join(self->parts[i].thread, NULL);
		scope_close(&self->parts[i].fd);
	}
	pthread_mutex_destroy(&self->lock);
	pthread_cond_destroy(&self->changed);
	free(self->url);
	free(self->etag);
	free(self);
}
