/* Threads that take one file after the other, and the caller, who tells what became of them. */
#include "store/cmd_many.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/time.h"
#include "cli/progress.h"

/* How often progress is told. */
#define PROGRESS_NS 100000000

struct outcome {
	bool done;
	rkt_image_id id;
	rkt_error *error; /* NULL: it is in the store */
};

struct work {
	const struct many *many;
	struct progress *progress;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	struct outcome *outcomes;
	size_t next;      /* to be begun */
	size_t finished;  /* that many from the first on are done */
	uint64_t last_ns; /* the time recorded for the file begun last */
	bool stop;
	_Atomic uint64_t bytes; /* read from all of them; not under the lock */
};

/* What a thread tells of one file while it is read. */
struct reading {
	struct work *work;
	uint64_t told;
};

/* ---- one file -------------------------------------------------------------------------------- */

static void count_bytes(void *context, uint64_t bytes)
{
	struct reading *self = context;

	/* what is read a second time is not counted back */
	if (bytes <= self->told)
		return;
	atomic_fetch_add(&self->work->bytes, bytes - self->told);
	self->told = bytes;
}

/* AT_NS: the time for its record, or 0. */
static int import_file(const struct many *many, struct many_file *file, uint64_t at_ns,
	struct rkt_import_options *options, rkt_image_id *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "importing", file->name);
	auto_fd int fd = file->open(file, err);
	struct import_wish wish = file->wish;

	if (fd < 0)
		return -1;
	options->size = sizeof *options;
	options->expect = file->expect;
	options->name = file->name_check;
	wish.at_ns = at_ns;
	wish.ret_how = &file->how;
	return import_as_wished(many->store, fd, options, &wish, ret, err);
}

/* ---- one after the other --------------------------------------------------------------------- */

static int import_in_order(const struct many *many, rkt_error **err)
{
	for (size_t i = 0; i < many->count; i++) {
		struct many_file *file = &many->files[i];
		struct progress *progress = progress_start(file->name, file->size);
		struct rkt_import_options options = { .progress = progress_callback,
			.context = progress };
		rkt_error *why = NULL;
		rkt_image_id id;
		int result = import_file(many, file, 0, &options, &id, &why);

		progress_end(progress);
		if (many->done(many->context, file, result < 0 ? NULL : &id, why, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- side by side ---------------------------------------------------------------------------- */

/* Under the lock: whether there is a file to be begun, and its turn has come. Waits for the
 * latter. */
static bool take_next(struct work *self, size_t *ret, uint64_t *ret_ns)
{
	uint64_t now;

	while (!self->stop && self->next < self->many->count &&
		self->many->files[self->next].in_turn && self->finished < self->next)
		pthread_cond_wait(&self->changed, &self->lock);
	if (self->stop || self->next == self->many->count)
		return false;
	now = store_now_ns();
	self->last_ns = now > self->last_ns ? now : self->last_ns + 1;
	*ret_ns = self->last_ns;
	*ret = self->next++;
	pthread_cond_broadcast(&self->changed); /* who waited for this one may look at the next */
	return true;
}

static void finish(struct work *self, size_t at)
{
	self->outcomes[at].done = true;
	while (self->finished < self->many->count && self->outcomes[self->finished].done)
		self->finished++;
	if (self->outcomes[at].error && self->many->stop_at_fault)
		self->stop = true;
	pthread_cond_broadcast(&self->changed);
}

static void *work_on(void *context)
{
	struct work *self = context;
	uint64_t at_ns;
	size_t at;

	pthread_mutex_lock(&self->lock);
	while (take_next(self, &at, &at_ns)) {
		struct reading reading = { .work = self };
		struct rkt_import_options options = { .progress = count_bytes,
			.context = &reading };
		struct outcome *outcome = &self->outcomes[at];

		pthread_mutex_unlock(&self->lock);
		import_file(self->many, &self->many->files[at], at_ns, &options, &outcome->id,
			&outcome->error);
		pthread_mutex_lock(&self->lock);
		finish(self, at);
	}
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* Waits until the file AT is done, and shows meanwhile how far all are. */
static void wait_for(struct work *self, size_t at)
{
	pthread_mutex_lock(&self->lock);
	while (!self->outcomes[at].done) {
		struct timespec until = time_in_ns(PROGRESS_NS);

		if (time_wait(&self->changed, &self->lock, &until) != 0)
			progress_now(self->progress, atomic_load(&self->bytes));
	}
	pthread_mutex_unlock(&self->lock);
}

/* A file that could not be imported is the last that DONE is told of, where it ends the work: those
 * before it were begun before it. */
static int tell_in_order(struct work *self, rkt_error **err)
{
	const struct many *many = self->many;

	for (size_t i = 0; i < many->count; i++) {
		struct outcome *outcome = &self->outcomes[i];
		rkt_error *why;

		wait_for(self, i);
		why = pass_ptr(outcome->error);
		if (many->done(many->context, &many->files[i], why ? NULL : &outcome->id, why,
			    err) < 0)
			return -1;
	}
	return 0;
}

static int work_together(struct work *self, size_t jobs, rkt_error **err)
{
	auto_free pthread_t *threads = xcalloc(jobs, sizeof *threads);
	size_t started = 0;
	int result;

	while (started < jobs && !pthread_create(&threads[started], NULL, work_on, self))
		started++;
	if (!started)
		return import_in_order(self->many, err); /* no thread to be had */
	result = tell_in_order(self, err);
	pthread_mutex_lock(&self->lock);
	self->stop = true;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
	while (started)
		pthread_join(threads[--started], NULL);
	return result;
}

static struct progress *start_progress(const struct many *many)
{
	auto_free char *what = xasprintf("%zu images", many->count);
	uint64_t total = 0;

	for (size_t i = 0; i < many->count; i++) {
		if (!many->files[i].size)
			return progress_start(what, 0);
		total += many->files[i].size;
	}
	return progress_start(what, total);
}

static int import_side_by_side(const struct many *many, size_t jobs, rkt_error **err)
{
	struct work self = {
		.many = many, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER
	};
	int result;

	self.outcomes = xcalloc(many->count, sizeof *self.outcomes);
	self.progress = start_progress(many);
	result = work_together(&self, jobs, err);
	progress_end(self.progress);
	for (size_t i = 0; i < many->count; i++)
		rkt_error_free(self.outcomes[i].error);
	free(self.outcomes);
	return result;
}

/* ---- how many -------------------------------------------------------------------------------- */

unsigned many_default_jobs(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < 1)
		return 1;
	return processors < MANY_JOBS_MAX ? (unsigned)processors : MANY_JOBS_MAX;
}

int many_import(const struct many *self, rkt_error **err)
{
	size_t jobs = self->jobs < self->count ? self->jobs : self->count;

	return jobs > 1 ? import_side_by_side(self, jobs, err) : import_in_order(self, err);
}
