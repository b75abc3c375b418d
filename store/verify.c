/* Whom verification is about, what is said of each, and how that goes side by side. */
#include "store/verify.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/time.h"
#include "store/index/index.h"

/* How often progress is told. */
#define PROGRESS_NS 50000000
/* Indexes made anew that wait for the verdict on the damaged ones: each keeps a file open. */
#define HELD_MAX 32

/* It may be done twice. */
static void subject_free(struct subject *self)
{
	rkt_layers_free(pass_ptr(self->layers));
	rkt_error_free(pass_ptr(self->blob_fault));
	rkt_error_free(pass_ptr(self->index_fault));
	scope_close(&self->index);
	self->index = -1;
}

static void subjects_free(struct verify *self)
{
	for (size_t i = 0; i < self->count; i++)
		subject_free(&self->subjects[i]);
	self->count = 0;
}

/* ---- what is there --------------------------------------------------------------------------- */

static struct subject *add_subject(
	struct verify *self, const rkt_image_id *id, const struct tree_row *index)
{
	struct subject *subject;

	if (self->count == self->room) {
		self->room = self->room ? 2 * self->room : 16;
		self->subjects = xreallocarray(self->subjects, self->room, sizeof *self->subjects);
	}
	subject = &self->subjects[self->count++];
	*subject = (struct subject){ .id = *id,
		.has_index = index,
		.current_index = index && index->index_version == INDEX_VERSION,
		.index = -1 };
	return subject;
}

static int add_image(struct verify *self, db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct image_row row = { 0 };
	struct tree_row tree = { 0 };
	int image = store_get_image(txn, id, &row, err), index;

	if (!image)
		return store_no_image(id->text, err);
	index = image < 0 ? -1 : store_get_tree(txn, RECORD_EROFS, id, &tree, err);
	if (index < 0)
		return -1;
	add_subject(self, id, index ? &tree : NULL)->to_read = row.size;
	return 0;
}

static int add_all_images(struct verify *self, db_txn *txn, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_IMAGE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		rkt_image_id id;

		if (key_image_id(key, &id, err) < 0 || add_image(self, txn, &id, err) < 0)
			return -1;
	}
	return got;
}

/* Whether the tree of LAYERS is that of an image that is looked at. */
static bool is_asked_for(const struct verify *self, const rkt_layers *layers)
{
	const rkt_image_id *image = &layers->items[layers->count - 1].id;

	for (size_t i = 0; i < self->options.count; i++)
		if (strcmp(self->options.ids[i].text, image->text) == 0)
			return true;
	return !self->options.ids;
}

/* Adds the tree RAW if it has an index. */
static int add_tree(
	db_txn *txn, const uint8_t *raw, struct slice plan, void *context, rkt_error **err)
{
	struct verify *self = context;
	auto_layers rkt_layers *layers = NULL;
	rkt_image_id id = key_to_id(raw);
	struct tree_row row = { 0 };
	struct subject *subject;
	int got = store_get_tree(txn, RECORD_EROFS, &id, &row, err);

	(void)plan;
	if (got <= 0)
		return got;
	if (deps_read_plan(txn, &id, &layers, err) < 0)
		return -1;
	if (!is_asked_for(self, layers))
		return 0;
	subject = add_subject(self, &id, &row);
	for (size_t i = 0; i < layers->count; i++)
		subject->to_read += layers->items[i].size;
	subject->layers = pass_ptr(layers);
	return 0;
}

static int find_subjects(db_txn *txn, void *context, rkt_error **err)
{
	struct verify *self = context;

	subjects_free(self);
	for (size_t i = 0; i < self->options.count; i++)
		if (add_image(self, txn, &self->options.ids[i], err) < 0)
			return -1;
	if (!self->options.ids && add_all_images(self, txn, err) < 0)
		return -1;
	return deps_each_plan(txn, add_tree, self, err);
}

/* ---- a second look --------------------------------------------------------------------------- */

static int is_still_there(db_txn *txn, void *context, rkt_error **err)
{
	struct subject *subject = context;
	struct image_row image;
	struct tree_row tree;
	int got = subject->layers ? store_get_tree(txn, RECORD_EROFS, &subject->id, &tree, err)
				  : store_get_image(txn, &subject->id, &image, err);

	subject->gone = !got;
	return got < 0 ? -1 : 0;
}

/* What looks damaged may have been removed while it was looked at, and imported anew: it is looked
 * at again while nobody removes anything. Returns the lock, -1 on error. */
static int confirm(struct verify *self, struct subject *subject, rkt_error **err)
{
	auto_fd int naming = layout_lock(
		&self->store->layout, self->options.repair ? LAYOUT_REMOVING : LAYOUT_NAMING, err);

	subject->again = true;
	if (naming < 0 || db_read(self->store->db, is_still_there, subject, err) < 0)
		return -1;
	if (!subject->gone)
		verify_look_again(self, subject);
	return pass_fd(naming);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* What is said of a subject. */
struct sentence {
	enum rkt_verdict verdict;
	char *what; /* in words, owned; NULL: nothing is said */
};

/* Counts the verdict and tells it. */
static void pronounce(
	struct verify *self, const struct subject *subject, const struct sentence *sentence)
{
	const struct rkt_verify_options *options = &self->options;
	struct rkt_verify_result *result = &self->result;
	enum rkt_verdict verdict = sentence->verdict;
	bool tree = subject->layers;

	if (verdict == RKT_VERDICT_GOOD)
		(*(tree ? &result->trees_good : &result->good))++;
	else if (verdict == RKT_VERDICT_DAMAGED)
		(*(tree ? &result->trees_damaged : &result->damaged))++;
	else if (verdict == RKT_VERDICT_REPAIRED)
		(*(tree ? &result->trees_repaired : &result->repaired))++;
	if (tree && options->report_tree)
		options->report_tree(options->context, &subject->id, verdict, sentence->what);
	else if (!tree && options->report)
		options->report(options->context, &subject->id, verdict, sentence->what);
}

static const char *praise(const struct subject *subject)
{
	if (!subject->has_index || subject->current_index)
		return "right";
	return subject->layers ? "its EROFS index is of another version"
			       : "the blob is right; its EROFS index is of another version";
}

static struct sentence mend(struct verify *self, struct subject *subject, rkt_error *unconfirmed)
{
	auto_error rkt_error *why = unconfirmed;
	const char *fault = rkt_error_raw(verify_fault(subject));
	auto_free char *done = why ? NULL : verify_repair(self, subject, &why);

	if (done)
		return (struct sentence){ RKT_VERDICT_REPAIRED, xasprintf("%s; %s", fault, done) };
	return (struct sentence){ RKT_VERDICT_DAMAGED,
		xasprintf("%s; not repaired: %s", fault, rkt_error_raw(why)) };
}

/* Looks again at what seems damaged, and repairs it where that is asked for. */
static struct sentence settle(struct verify *self, struct subject *subject)
{
	auto_error rkt_error *why = NULL;
	auto_fd int naming = -1;
	rkt_error *fault = verify_fault(subject);

	if (fault && verify_is_damage(fault))
		naming = confirm(self, subject, &why);
	if (subject->gone)
		return (struct sentence){ RKT_VERDICT_UNKNOWN, NULL };
	fault = verify_fault(subject);
	if (!fault)
		return (struct sentence){ RKT_VERDICT_GOOD, xstrdup(praise(subject)) };
	if (!verify_is_damage(fault))
		return (struct sentence){ RKT_VERDICT_UNKNOWN, xstrdup(rkt_error_raw(fault)) };
	if (self->options.repair)
		return mend(self, subject, pass_ptr(why));
	return (struct sentence){ RKT_VERDICT_DAMAGED,
		xasprintf("%s%s%s", rkt_error_raw(fault), why ? "; not looked at again: " : "",
			why ? rkt_error_raw(why) : "") };
}

/* Says what it is when the naming lock is gone: who is told may keep us waiting, and all others
 * with us. */
static void judge(struct verify *self, struct subject *subject)
{
	struct sentence sentence = settle(self, subject);

	if (sentence.what)
		pronounce(self, subject, &sentence);
	free(sentence.what);
}

/* ---- side by side ---------------------------------------------------------------------------- */

/* Under the lock: the next subject to be looked at, or NULL. Who tells the verdicts may be slow. */
static struct subject *take_next(struct verify *self)
{
	while (self->next < self->count && self->held >= HELD_MAX)
		pthread_cond_wait(&self->changed, &self->lock);
	return self->next < self->count ? &self->subjects[self->next++] : NULL;
}

static void *work(void *context)
{
	struct verify *self = context;
	struct subject *subject;

	pthread_mutex_lock(&self->lock);
	while ((subject = take_next(self))) {
		pthread_mutex_unlock(&self->lock);
		verify_look(self, subject);
		pthread_mutex_lock(&self->lock);
		subject->looked_at = true;
		self->held += subject->index >= 0;
		pthread_cond_broadcast(&self->changed);
	}
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

static void show_progress(struct verify *self)
{
	if (self->options.progress)
		self->options.progress(self->options.context, atomic_load(&self->bytes));
}

/* Waits a while for SUBJECT; whether it was looked at. */
static bool wait_for(struct verify *self, const struct subject *subject)
{
	struct timespec until = time_in_ns(PROGRESS_NS);
	bool looked_at;

	pthread_mutex_lock(&self->lock);
	while (!subject->looked_at && time_wait(&self->changed, &self->lock, &until) == 0)
		;
	looked_at = subject->looked_at;
	pthread_mutex_unlock(&self->lock);
	return looked_at;
}

/* Once it was looked at. */
static void be_done_with(struct verify *self, struct subject *subject)
{
	bool held = subject->index >= 0;

	judge(self, subject);
	subject_free(subject);
	pthread_mutex_lock(&self->lock);
	self->held -= held;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
}

/* Threads look, in order; the caller's judges, in order too, while they go on. */
static void look_at_all(struct verify *self)
{
	size_t wanted = self->options.jobs ? self->options.jobs : 1, started = 0;
	auto_free pthread_t *threads = NULL;

	if (wanted > self->count)
		wanted = self->count;
	threads = xcalloc(wanted + 1, sizeof *threads);
	while (started < wanted && !pthread_create(&threads[started], NULL, work, self))
		started++;
	for (size_t i = 0; i < self->count; i++) {
		if (!started) /* no thread to be had */
			verify_look(self, &self->subjects[i]);
		while (started && !wait_for(self, &self->subjects[i]))
			show_progress(self);
		show_progress(self);
		be_done_with(self, &self->subjects[i]);
	}
	while (started)
		pthread_join(threads[--started], NULL);
}

static void tell_total(const struct verify *self)
{
	uint64_t total = 0;

	for (size_t i = 0; i < self->count; i++)
		total += self->subjects[i].to_read;
	if (self->options.begin)
		self->options.begin(self->options.context, total);
}

static int verify(struct verify *self, rkt_error **err)
{
	if (self->options.repair && self->store->mode == RKT_STORE_READ)
		return rkt_fail(err, RKT_USAGE, "the store is open for reading only");
	if (self->options.repair && layout_check_owner(&self->store->layout, err) < 0)
		return -1;
	if (db_read(self->store->db, find_subjects, self, err) < 0)
		return -1;
	tell_total(self);
	look_at_all(self);
	return 0;
}

int rkt_store_verify(rkt_store *store, const struct rkt_verify_options *options,
	struct rkt_verify_result *ret, rkt_error **err)
{
	struct verify self = { .store = store,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	const size_t first = offsetof(struct rkt_verify_options, begin);
	int result = store_read_options(options, first, &self.options, sizeof self.options, err);

	if (result == 0)
		result = verify(&self, err);
	subjects_free(&self);
	free(self.subjects);
	if (result == 0 && ret) /* who knows the first options knows the first result */
		memcpy(ret, &self.result,
			options->size == first ? offsetof(struct rkt_verify_result, trees_good)
					       : sizeof self.result);
	return result;
}
