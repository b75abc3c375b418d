/* Progress while images come, and what became of each. */
#include "store/cmd_fetch_display.h"

#include <stdio.h>
#include <signal.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "store/cmd.h"
#include "store/deps.h"

/* ---- while they come ------------------------------------------------------------------------- */

static void print_event(json *event)
{
	auto_buf struct buf line = { 0 };

	json_write(event, JSON_COMPACT, &line);
	json_free(event);
	printf("%s\n", buf_text(&line));
	(void)out_flush(NULL); /* remembers why, for the end */
}

static json *new_event(const char *kind)
{
	json *event = json_new_object();

	json_set(event, "event", json_new_string(kind));
	return event;
}

void fetch_display_count(void *context, uint64_t came, uint64_t expected)
{
	struct fetch_display *self = context;

	atomic_fetch_add(&self->came, came);
	atomic_fetch_add(&self->expected, expected);
}

void fetch_display_tell(void *context, const char *words)
{
	struct fetch_display *self = context;

	pthread_mutex_lock(&self->lock);
	if (self->json) {
		auto_free char *shown = str_escape(words, strlen(words));
		json *event = new_event("note");

		json_set(event, "message", json_new_string(shown));
		print_event(event);
	} else {
		out_note("%s", words);
	}
	pthread_mutex_unlock(&self->lock);
}

static void show_bytes(struct fetch_display *self)
{
	uint64_t came = atomic_load(&self->came), expected = atomic_load(&self->expected);
	json *event;

	if (!self->json) {
		progress_total(self->progress, expected);
		progress_now(self->progress, came);
		return;
	}
	if (came == self->told)
		return;
	self->told = came;
	event = new_event("progress");
	json_set(event, "bytes", json_new_integer((int64_t)came));
	json_set(event, "of", expected ? json_new_integer((int64_t)expected) : NULL);
	print_event(event);
}

void fetch_display_tick(void *context)
{
	struct fetch_display *self = context;

	pthread_mutex_lock(&self->lock);
	if (self->ends_unread && out_would_be_unread()) {
		out_transient(NULL); /* else half a line stays on the terminal */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	if (self->shows_bytes)
		show_bytes(self);
	pthread_mutex_unlock(&self->lock);
}

static const char *word_of(enum fetch_how how)
{
	static const char *const words[] = { "fetched", "unchanged", "present" };

	return words[how];
}

static void print_done(const struct fetch_job *job)
{
	auto_free char *reference = fetch_shown(job->reference);
	json *event = new_event("done");

	json_set(event, "reference", json_new_string(reference));
	json_set(event, "id", json_new_string(job->fetched.id.text));
	json_set(event, "how", json_new_string(word_of(job->fetched.how)));
	json_set(
		event, "source", job->fetched.source ? json_new_string(job->fetched.source) : NULL);
	json_set(event, "neededBy", job->needed_by ? json_new_string(job->needed_by) : NULL);
	print_event(event);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Whether all that the image is made of is there and what it should be (size, imageID, no
 * circle). */
static int check_layers(
	const struct fetch_display *self, const struct fetch_job *job, rkt_error **err)
{
	auto_layers rkt_layers *layers = NULL;

	return self->no_dependencies
		       ? 0
		       : rkt_store_layers(self->store, &job->fetched.id, &layers, err);
}

/* WHY, which it takes over, is why the image of JOB is of no use yet. */
static int fail_layers(
	const struct fetch_job *job, const char *reference, rkt_error *why, rkt_error **err)
{
	if (rkt_error_kind(why) != RKT_MISSING) {
		rkt_fail_with(err, why);
		return rkt_fail_outer(err, "fetching %s", reference);
	}
	rkt_fail(err, RKT_MISSING,
		"%s is in the store, but not all that it is made of: %s; fetch or import that by its "
		"URL or file, and %s is whole",
		reference, rkt_error_raw(why), job->fetched.id.text);
	rkt_error_free(why);
	return -1;
}

static int fail_dependency(const struct fetch_job *job, const char *reference, rkt_error **err)
{
	if (!job->is_unsigned)
		return rkt_fail_outer(err, "%s, which %s needs", reference, job->needed_by);
	return rkt_fail_outer(err,
		"%s, which %s needs, is in the store, but no trusted key signed that "
		"(--no-deps leaves it so)",
		reference, job->needed_by);
}

/* Tells what became of one: 0, or -1. */
static int end_one(const struct fetch_display *self, struct fetch_job *job, rkt_error **err)
{
	auto_error rkt_error *not_whole = NULL;
	rkt_error *why = pass_ptr(job->error);
	auto_free char *reference = fetch_shown(job->reference);

	if (why) {
		rkt_fail_with(err, why);
		if (job->needed_by)
			return fail_dependency(job, reference, err);
		/* what is wrong with a URL or file names it */
		return job->kind == FETCH_NAME ? rkt_fail_outer(err, "fetching %s", reference) : -1;
	}
	out_debug("%s: %s%s%s", reference, word_of(job->fetched.how),
		job->fetched.source ? ", from " : "", job->fetched.source ?: "");
	cmd_debug_image(self->store, &job->fetched.id);
	if (self->json)
		print_done(job);
	if (job->needed_by)
		return 0;
	if (check_layers(self, job, &not_whole) < 0)
		return fail_layers(job, reference, pass_ptr(not_whole), err);
	if (!self->json)
		printf("%s\n", job->fetched.id.text);
	return 0;
}

enum end_which { END_DEPENDENCIES, END_TYPED };

/* Tells of those of one kind. The first error of all becomes *FIRST, others are told at once. */
static void end_each(const struct fetch_display *self, const struct fetch_done *done,
	enum end_which which, rkt_error **first)
{
	for (size_t i = 0; i < done->count; i++) {
		bool typed = !done->jobs[i]->needed_by;
		auto_error rkt_error *why = NULL;

		if (typed != (which == END_TYPED) || end_one(self, done->jobs[i], &why) == 0)
			continue;
		if (*first)
			out_error(rkt_error_message(why));
		else
			*first = pass_ptr(why);
	}
}

/* Dependencies first: they say why an image is not whole. */
int fetch_display_end(void *context, const struct fetch_done *done, rkt_error **err)
{
	struct fetch_display *self = context;
	rkt_error *first = NULL;

	progress_end(self->progress);
	self->progress = NULL;
	end_each(self, done, END_DEPENDENCIES, &first);
	end_each(self, done, END_TYPED, &first);
	return first ? rkt_fail_with(err, first) : out_flush(err);
}
