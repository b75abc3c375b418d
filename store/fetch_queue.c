/*
 * Jobs, and the threads that do them: the calling one, and more as soon as there is a job nobody
 * has hands for. To be told that one image is unchanged takes a few milliseconds, of which threads
 * with nothing to do would be a good part.
 */
#include "store/fetch_queue.h"

#include <pthread.h>
#include <string.h>

#include "aci/manifest.h"
#include "base/alloc.h"
#include "base/time.h"
#include "store/fetch_parts.h"

#define TICK_NS 200000000

/* An image with more images below it than this is not fetched to its end: the number of layers a
 * tree may have is far smaller. */
#define JOBS_MAX 4096

struct fetch_queue {
	const struct fetch_wishes *wishes;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	struct fetch_job **jobs;
	size_t count, capacity;
	size_t next;        /* to be begun */
	size_t active;      /* being done */
	pthread_t *helpers; /* beside the calling thread */
	size_t helper_count;
	bool is_done; /* for who ticks */
};

static void *work(void *context);

/* ---- jobs ------------------------------------------------------------------------------------ */

/* Under the lock. */
static bool is_known(const struct fetch_queue *self, enum fetch_kind kind, const char *reference)
{
	for (size_t i = 0; i < self->count; i++)
		if (self->jobs[i]->kind == kind && strcmp(self->jobs[i]->reference, reference) == 0)
			return true;
	return false;
}

/* Under the lock: one thread more, when a job waits that none is free for. Without it, the others
 * have more to do. */
static void call_help(struct fetch_queue *self)
{
	size_t idle = self->helper_count + 1 - self->active;

	if (self->count - self->next > idle && self->helper_count + 1 < self->wishes->threads &&
		!pthread_create(&self->helpers[self->helper_count], NULL, work, self))
		self->helper_count++;
}

/* Under the lock. */
static struct fetch_job *add(struct fetch_queue *self, enum fetch_kind kind, const char *reference)
{
	struct fetch_job *job;

	if (self->count == self->capacity) {
		self->capacity = self->capacity ? 2 * self->capacity : 16;
		self->jobs = xreallocarray(self->jobs, self->capacity, sizeof(struct fetch_job *));
	}
	job = xcalloc(1, sizeof *job);
	job->kind = kind;
	job->reference = xstrdup(reference);
	self->jobs[self->count++] = job;
	call_help(self);
	return job;
}

static void job_free(struct fetch_job *job)
{
	free(job->reference);
	free(job->needed_by);
	fetched_free(&job->fetched);
	rkt_error_free(job->error);
	free(job);
}

/* ---- dependencies ---------------------------------------------------------------------------- */

/* What is asked for to satisfy DEPENDENCY: its image when that is here, else its name. An image
 * does not say of what kind its words are: a name that looks like a file's is a name. */
static char *reference_of(const struct fetch_queue *self, const struct ac_dependency *dependency,
	enum fetch_kind *ret_kind)
{
	auto_image_record rkt_image_record *record = NULL;

	if (dependency->image_id && rkt_store_find(self->wishes->all->store, dependency->image_id,
					    &record, NULL) == 0) {
		*ret_kind = FETCH_ID;
		return xstrdup(record->id.text);
	}
	*ret_kind = FETCH_NAME;
	return dependency_name(dependency);
}

/* Under the lock. */
static void add_needed(struct fetch_queue *self, enum fetch_kind kind, const char *reference,
	const char *needed_by, const rkt_image_id *dependent)
{
	struct fetch_job *job = add(self, kind, reference);

	job->needed_by = xstrdup(needed_by);
	job->dependent = *dependent;
}

static int add_dependencies(struct fetch_queue *self, const rkt_image_id *id, rkt_error **err)
{
	auto_image_record rkt_image_record *record = NULL;
	auto_image_manifest struct image_manifest *manifest = NULL;

	if (rkt_store_find(self->wishes->all->store, id->text, &record, err) < 0)
		return -1;
	manifest = image_manifest_parse(
		(struct slice){ (const uint8_t *)record->manifest, record->manifest_len }, NULL,
		err);
	if (!manifest)
		return -1;
	for (size_t i = 0; i < manifest->dependency_count; i++) {
		enum fetch_kind kind;
		auto_free char *reference = reference_of(self, &manifest->dependencies[i], &kind);
		bool full;

		pthread_mutex_lock(&self->lock);
		full = self->count == JOBS_MAX;
		if (!full && !is_known(self, kind, reference))
			add_needed(self, kind, reference, manifest->name, id);
		pthread_cond_broadcast(&self->changed);
		pthread_mutex_unlock(&self->lock);
		if (full)
			return rkt_fail(
				err, RKT_INVALID, "more than %d images are needed", JOBS_MAX);
	}
	return 0;
}

/* ---- threads --------------------------------------------------------------------------------- */

static void do_job(struct fetch_queue *self, fetcher *hand, struct fetch_job *job)
{
	if (fetch_one(hand, job->kind, job->reference, &job->fetched, &job->error) == 0 &&
		!self->wishes->no_dependencies)
		add_dependencies(self, &job->fetched.id, &job->error);
}

/* Under the lock: the next job, NULL when there will be none any more. */
static struct fetch_job *take(struct fetch_queue *self)
{
	while (self->next == self->count && self->active)
		pthread_cond_wait(&self->changed, &self->lock);
	if (self->next == self->count)
		return NULL;
	self->active++;
	return self->jobs[self->next++];
}

static void *work(void *context)
{
	struct fetch_queue *self = context;
	auto_fetcher fetcher *hand = fetcher_new(self->wishes->all);
	struct fetch_job *job;

	pthread_mutex_lock(&self->lock);
	while ((job = take(self))) {
		pthread_mutex_unlock(&self->lock);
		do_job(self, hand, job);
		pthread_mutex_lock(&self->lock);
		self->active--;
		pthread_cond_broadcast(&self->changed);
	}
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* The thread that ticks. */
static void *keep_ticking(void *context)
{
	struct fetch_queue *self = context;

	struct timespec until = time_in_ns(TICK_NS);

	pthread_mutex_lock(&self->lock);
	while (!self->is_done) {
		if (time_wait(&self->changed, &self->lock, &until) == 0)
			continue; /* something has changed, and the time has not come */
		pthread_mutex_unlock(&self->lock);
		self->wishes->tick(self->wishes->context);
		until = time_in_ns(TICK_NS);
		pthread_mutex_lock(&self->lock);
	}
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* What could not be asked for may be in the store, or have come by another reference: whether some
 * was taken, which may have made more jobs. The first COUNT are done, so that nobody else works on
 * them; helpers that are called may do what is new meanwhile. Who looks is active: helpers wait for
 * what the rest of the look makes. */
static bool take_what_is_here(struct fetch_queue *self)
{
	bool taken = false;
	size_t count;

	pthread_mutex_lock(&self->lock);
	count = self->count;
	self->active++;
	for (size_t i = 0; i < count; i++) {
		struct fetch_job *job = self->jobs[i];

		pthread_mutex_unlock(&self->lock);
		if (here_take(self->wishes->all, job)) {
			taken = true;
			add_dependencies(self, &job->fetched.id, &job->error);
		}
		pthread_mutex_lock(&self->lock);
	}
	self->active--;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
	return taken;
}

static void run(struct fetch_queue *self)
{
	pthread_t ticker;
	bool ticks = self->wishes->tick && !pthread_create(&ticker, NULL, keep_ticking, self);

	/* jobs that came of what was taken may be done already, by helpers, and have failed */
	do {
		work(self);
		while (self->helper_count) /* no job is left that could call another */
			pthread_join(self->helpers[--self->helper_count], NULL);
	} while (take_what_is_here(self));
	pthread_mutex_lock(&self->lock);
	self->is_done = true;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
	if (ticks)
		pthread_join(ticker, NULL);
}

int fetch_all(const struct fetch_wishes *wishes, rkt_error **err)
{
	struct fetch_queue self = { .wishes = wishes,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.helpers = xcalloc(wishes->threads, sizeof(pthread_t)) };
	int result;

	pthread_mutex_lock(&self.lock);
	for (size_t i = 0; i < wishes->count; i++)
		add(&self, fetch_kind_of(wishes->references[i]), wishes->references[i]);
	pthread_mutex_unlock(&self.lock);
	run(&self);
	result = wishes->done(
		wishes->context, &(const struct fetch_done){ self.jobs, self.count }, err);
	while (self.count)
		job_free(self.jobs[--self.count]);
	free(self.jobs);
	free(self.helpers);
	return result;
}
