/*
 * A source whose blocks are made in a thread of their own.
 *
 * The thread puts slices, not bytes, into a short queue. The block at the consumer is the oldest
 * one alive; when the thread asks for another, at most QUEUE_LEN calls have been made since that
 * one was handed out. So BELOW has to keep QUEUE_LEN blocks, and nothing is ever copied.
 */
#include "aci/source.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"

#define QUEUE_LEN 4u

enum mode {
	NOT_STARTED,
	THREADED,
	IN_CALLER, /* no thread to be had, or BELOW cannot keep blocks */
};

struct threaded_source {
	source base;
	source *below;
	enum mode mode;
	unsigned kept; /* blocks that the consumer wants alive besides the present one */
	pthread_t thread;

	pthread_mutex_t lock; /* for all that follows */
	pthread_cond_t changed;
	struct slice queue[QUEUE_LEN];
	unsigned first, count;
	bool stop;  /* nobody wants any more */
	bool done;  /* the thread puts nothing more into the queue */
	int result; /* what source_next(below) said last: 0 or -1 */
	rkt_error *error;
};

/* Waits for room in the queue; false when the consumer has gone. */
static bool room_in_queue(struct threaded_source *s)
{
	bool go_on;

	pthread_mutex_lock(&s->lock);
	while (s->count == QUEUE_LEN && !s->stop)
		pthread_cond_wait(&s->changed, &s->lock);
	go_on = !s->stop;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

static void put_block(struct threaded_source *s, struct slice block)
{
	pthread_mutex_lock(&s->lock);
	s->queue[(s->first + s->count) % QUEUE_LEN] = block;
	s->count++;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void put_end(struct threaded_source *s, int result, rkt_error *error)
{
	pthread_mutex_lock(&s->lock);
	s->done = true;
	s->result = result;
	s->error = error;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void *pull_all(void *context)
{
	struct threaded_source *s = context;
	rkt_error *error = NULL;
	struct slice block;
	int got = 0;

	while (room_in_queue(s) && (got = source_next(s->below, &block, &error)) > 0)
		put_block(s, block);
	put_end(s, got, error);
	return NULL;
}

static void start(struct threaded_source *s)
{
	sigset_t all, before;

	s->mode = IN_CALLER;
	if (!source_keep(s->below, QUEUE_LEN + s->kept))
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!pthread_create(&s->thread, NULL, pull_all, s))
		s->mode = THREADED;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int take_block(struct threaded_source *s, struct slice *ret_block, rkt_error **err)
{
	rkt_error *error = NULL;
	int result = 1;

	pthread_mutex_lock(&s->lock);
	while (!s->count && !s->done)
		pthread_cond_wait(&s->changed, &s->lock);
	if (s->count) {
		*ret_block = s->queue[s->first];
		s->first = (s->first + 1) % QUEUE_LEN;
		s->count--;
		pthread_cond_signal(&s->changed);
	} else {
		result = s->result;
		error = pass_ptr(s->error);
	}
	pthread_mutex_unlock(&s->lock);
	return result < 0 ? rkt_fail_with(err, error) : result;
}

static int threaded_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct threaded_source *s = (struct threaded_source *)self;

	if (s->mode == NOT_STARTED)
		start(s);
	if (s->mode == IN_CALLER)
		return source_next(s->below, ret_block, err);
	return take_block(s, ret_block, err);
}

static bool threaded_keep(source *self, unsigned count)
{
	struct threaded_source *s = (struct threaded_source *)self;

	if (s->mode != NOT_STARTED || !source_keep(s->below, QUEUE_LEN + count))
		return false;
	s->kept = count;
	return true;
}

static void threaded_interrupt(source *self)
{
	source_interrupt(((struct threaded_source *)self)->below);
}

static void threaded_release(source *self)
{
	struct threaded_source *s = (struct threaded_source *)self;

	if (s->mode == THREADED) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->changed);
		pthread_mutex_unlock(&s->lock);
		source_interrupt(s->below);
		pthread_join(s->thread, NULL);
	}
	rkt_error_free(s->error);
	source_free(s->below);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct source_ops threaded_ops = {
	.next = threaded_next,
	.keep = threaded_keep,
	.interrupt = threaded_interrupt,
	.release = threaded_release,
};

source *source_threaded(source *below)
{
	struct threaded_source *s = xcalloc(1, sizeof *s);

	s->base.ops = &threaded_ops;
	s->below = below;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	return &s->base;
}
