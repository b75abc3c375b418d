/*
 * Verification: whether the files of images are what their records say (S-043).
 *
 * A blob is right when its SHA-256 is its name. An index is right when it is, byte for byte, what
 * the blob gives again: the same tar always makes the same index, so nothing has to be kept to
 * compare with. Images are looked at side by side; what is changed is changed by one thread,
 * afterwards.
 */
#include "rkt/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "aci/image.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "store/blob.h"
#include "store/index/index.h"
#include "store/lease.h"
#include "store/remove.h"
#include "store/tree.h"

/* How often progress is told. */
#define PROGRESS_NS 50000000

/* One image: what is recorded of it, and what was found. */
struct subject {
	rkt_image_id id;
	uint64_t blob_size;
	bool has_index, current_index; /* it has one, and this program makes the same */
	bool gone;                     /* somebody removed it meanwhile */
	rkt_error *blob_fault, *index_fault;
	struct scratch index; /* whole and as it should be: open when the one on disk is not that */
};

struct verify {
	rkt_store *store;
	const struct rkt_verify_options *options;
	struct subject *subjects;
	size_t count, room;
	_Atomic size_t next;
	_Atomic uint64_t bytes;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	size_t done;
	struct rkt_verify_result result;
};

static void subject_free(struct subject *self)
{
	rkt_error_free(self->blob_fault);
	rkt_error_free(self->index_fault);
	scratch_close(&self->index);
}

/* ---- what is there --------------------------------------------------------------------------- */

static int add_subject(struct verify *self, db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct subject *subject;
	struct image_row row = { 0 };
	struct tree_row tree = { 0 };
	int image = store_get_image(txn, id, &row, err), index;

	if (!image)
		return store_no_image(id->text, err);
	index = image < 0 ? -1 : store_get_tree(txn, RECORD_EROFS, id, &tree, err);
	if (index < 0)
		return -1;
	if (self->count == self->room) {
		self->room = self->room ? 2 * self->room : 16;
		self->subjects = xreallocarray(self->subjects, self->room, sizeof *self->subjects);
	}
	subject = &self->subjects[self->count++];
	*subject = (struct subject){ .id = *id,
		.blob_size = row.size,
		.has_index = index,
		.current_index = index && tree.index_version == INDEX_VERSION,
		.index = SCRATCH_EMPTY };
	return 0;
}

static int find_subjects(db_txn *txn, void *context, rkt_error **err)
{
	struct verify *self = context;
	auto_db_cursor db_cursor *cursor = NULL;
	struct slice key, value;
	int got;

	self->count = 0;
	for (size_t i = 0; i < self->options->count; i++)
		if (add_subject(self, txn, &self->options->ids[i], err) < 0)
			return -1;
	if (self->options->ids)
		return 0;
	cursor = db_seek(txn, DB_IMAGE, (struct slice){ 0 }, err);
	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		rkt_image_id id;

		if (key_image_id(key, &id, err) < 0 || add_subject(self, txn, &id, err) < 0)
			return -1;
	}
	return got;
}

/* ---- looking at one image -------------------------------------------------------------------- */

static int count_bytes(void *context, struct slice block, rkt_error **err)
{
	struct verify *self = context;

	(void)err;
	atomic_fetch_add_explicit(&self->bytes, block.len, memory_order_relaxed);
	return 0;
}

/* Reads the whole blob and feeds its INDEX, unless that is NULL. */
static int read_blob(struct verify *self, struct subject *subject, index_builder *index,
	rkt_error **ret_index_fault, rkt_error **err)
{
	int blob = blob_open(&self->store->layout, &subject->id, subject->blob_size, err);
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;
	source *in;
	int got;

	if (blob < 0)
		return -1;
	in = source_tap(source_from_fd(blob), count_bytes, self);
	image = image_open(source_verified(in, &subject->id), NULL);
	while ((got = image_next(image, &entry, err)) > 0)
		if (index && !*ret_index_fault)
			(void)index_add(index, entry, ret_index_fault);
	return got;
}

/* Where the index is made anew: in the store only if it may become part of it, so that a store on a
 * read-only file system can be verified. */
static int open_anew(struct verify *self, struct scratch *ret, rkt_error **err)
{
	if (self->options->repair)
		return scratch_open(&self->store->layout, ret, err);
	ret->fd = memfd_create("index", MFD_CLOEXEC);
	return ret->fd < 0 ? rkt_fail_errno(err, "memfd_create") : 0;
}

/* Makes the index of a blob that was read. What is left open in SUBJECT is whole. */
static int make_index(
	struct verify *self, struct subject *subject, index_builder *index, rkt_error **err)
{
	if (open_anew(self, &subject->index, err) == 0 &&
		index_write(index, subject->blob_size, subject->index.fd, NULL, err) == 0)
		return 0;
	scratch_close(&subject->index);
	return -1;
}

static int compare_index(struct verify *self, struct subject *subject, rkt_error **err)
{
	auto_fd int there = -1;
	struct stat anew;
	uint64_t at;
	int same;

	if (fstat(subject->index.fd, &anew) < 0)
		return rkt_fail_errno(err, "stat");
	there = tree_open_index(&self->store->layout, &subject->id, (uint64_t)anew.st_size, err);
	if (there < 0)
		return -1;
	same = fd_same(there, subject->index.fd, &at, err);
	if (!same)
		return rkt_fail(err, RKT_INVALID,
			"the EROFS index is damaged within 65536 bytes from offset %ju on",
			(uintmax_t)at);
	return same < 0 ? -1 : 0;
}

static void look_at(struct verify *self, struct subject *subject)
{
	auto_index index_builder *index = subject->current_index ? index_new() : NULL;
	rkt_error **fault = &subject->index_fault;

	if (read_blob(self, subject, index, fault, &subject->blob_fault) < 0 || *fault || !index)
		return;
	if (make_index(self, subject, index, fault) < 0)
		return;
	if (compare_index(self, subject, fault) == 0)
		scratch_close(&subject->index);
}

/* ---- side by side ---------------------------------------------------------------------------- */

static void *work(void *context)
{
	struct verify *self = context;
	size_t at;

	while ((at = atomic_fetch_add(&self->next, 1)) < self->count) {
		look_at(self, &self->subjects[at]);
		pthread_mutex_lock(&self->lock);
		self->done++;
		pthread_cond_signal(&self->changed);
		pthread_mutex_unlock(&self->lock);
	}
	return NULL;
}

static void show_progress(struct verify *self)
{
	if (self->options->progress)
		self->options->progress(self->options->context, atomic_load(&self->bytes));
}

/* Waits until all are looked at, and tells meanwhile how far that is. */
static void wait_for_all(struct verify *self)
{
	pthread_mutex_lock(&self->lock);
	while (self->done < self->count) {
		struct timespec until = time_in_ns(PROGRESS_NS);

		if (pthread_cond_timedwait(&self->changed, &self->lock, &until) != 0)
			show_progress(self);
	}
	pthread_mutex_unlock(&self->lock);
	show_progress(self);
}

static void look_at_all(struct verify *self)
{
	size_t wanted = self->options->jobs ? self->options->jobs : 1, started = 0;
	auto_free pthread_t *threads = NULL;

	if (wanted > self->count)
		wanted = self->count;
	threads = xcalloc(wanted + 1, sizeof *threads);
	while (started < wanted && !pthread_create(&threads[started], NULL, work, self))
		started++;
	if (!started)
		work(self); /* no thread to be had */
	wait_for_all(self);
	while (started)
		pthread_join(threads[--started], NULL);
}

/* ---- a second look --------------------------------------------------------------------------- */

/* Whether FAULT is one of the bytes. An error of the machine (EIO, EMFILE, ENOSPC) says nothing
 * about them: what it kept us from reading may be whole. */
static bool is_damage(rkt_error *fault)
{
	return rkt_error_kind(fault) == RKT_INVALID || rkt_error_kind(fault) == RKT_MISSING;
}

static rkt_error *fault_of(const struct subject *subject)
{
	return subject->blob_fault ?: subject->index_fault;
}

static int is_still_there(db_txn *txn, void *context, rkt_error **err)
{
	struct subject *subject = context;
	struct image_row row;
	int got = store_get_image(txn, &subject->id, &row, err);

	subject->gone = !got;
	return got < 0 ? -1 : 0;
}

/* An index made from a blob that was right is right for ever. */
static void look_again(struct verify *self, struct subject *subject)
{
	if (subject->blob_fault) {
		rkt_error_free(pass_ptr(subject->blob_fault));
		(void)read_blob(self, subject, NULL, NULL, &subject->blob_fault);
	} else if (subject->index.fd >= 0) {
		rkt_error_free(pass_ptr(subject->index_fault));
		(void)compare_index(self, subject, &subject->index_fault);
	}
}

/* What looks damaged may have been removed while it was looked at, and imported anew: it is looked
 * at again while nobody removes anything. Returns the lock, -1 on error. */
static int confirm(struct verify *self, struct subject *subject, rkt_error **err)
{
	auto_fd int naming = layout_lock(
		&self->store->layout, self->options->repair ? LAYOUT_REMOVING : LAYOUT_NAMING, err);

	if (naming < 0 || db_read(self->store->db, is_still_there, subject, err) < 0)
		return -1;
	if (!subject->gone)
		look_again(self, subject);
	return pass_fd(naming);
}

/* ---- repair ---------------------------------------------------------------------------------- */

/* Under the naming lock: the index made anew takes the place of the damaged one. A mount of the
 * damaged one goes as soon as nobody uses it. */
static int put_index_back(struct verify *self, struct subject *subject, rkt_error **err)
{
	auto_fd int shard = -1;

	if (fchmod(subject->index.fd, 0444) < 0 || fdatasync(subject->index.fd) < 0)
		return rkt_fail_errno(err, "write the EROFS index");
	shard = layout_shard_make(self->store->layout.erofs, &subject->id, err);
	if (shard < 0 || scratch_replace(&subject->index, shard, subject->id.text, err) < 0)
		return -1;
	if (fsync(shard) < 0)
		return rkt_fail_errno(err, "fsync folder");
	return tree_unmount_unused(self->store, &subject->id, err);
}

/* Under the naming lock: takes a damaged blob out of the store, into cas/quarantine, where it can
 * still be looked at. */
static int take_out(struct verify *self, struct removal *removal, rkt_error **err)
{
	const struct layout *layout = &self->store->layout;
	auto_fd int cas = fd_open_dir(layout->top, "cas", err), shelf = -1, shard = -1;
	uint64_t freed;

	shelf = cas < 0 ? -1 : fd_make_dir(cas, "quarantine", 0700, NULL, err);
	if (shelf < 0)
		return -1;
	if (fsync(cas) < 0)
		return rkt_fail_errno(err, "fsync cas");
	if (db_write(self->store->db, remove_unleased, removal, err) < 0)
		return -1;
	shard = layout_shard_open(layout->blob, removal->id, NULL);
	if (shard >= 0 && renameat(shard, removal->id->text, shelf, removal->id->text) < 0 &&
		errno != ENOENT)
		return rkt_fail_errno(err, "move the blob to cas/quarantine");
	return remove_files(self->store, removal->id, &removal->trees, &freed, err);
}

static int put_away(struct verify *self, const struct subject *subject, rkt_error **err)
{
	struct removal removal = { .store = self->store, .id = &subject->id };
	int result = take_out(self, &removal, err);

	buf_free(&removal.trees);
	return result;
}

static int repair(struct verify *self, struct subject *subject, rkt_error **err)
{
	if (subject->blob_fault && is_damage(subject->blob_fault))
		return put_away(self, subject, err);
	if (!subject->blob_fault && is_damage(subject->index_fault) && subject->index.fd >= 0)
		return put_index_back(self, subject, err);
	return rkt_fail(err, RKT_FAILED, "it could not be looked at");
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void report(const struct verify *self, const struct subject *subject,
	enum rkt_verdict verdict, const char *what)
{
	if (self->options->report)
		self->options->report(self->options->context, &subject->id, verdict, what);
}

static void judge(struct verify *self, struct subject *subject)
{
	auto_error rkt_error *why = NULL;
	auto_free char *what = NULL;
	auto_fd int naming = -1;
	rkt_error *fault = fault_of(subject);

	if (fault && is_damage(fault))
		naming = confirm(self, subject, &why);
	if (subject->gone)
		return;
	fault = fault_of(subject);
	if (!fault) {
		self->result.good++;
		report(self, subject, RKT_VERDICT_GOOD,
			subject->has_index && !subject->current_index
				? "the blob is right; its EROFS index is of another version"
				: "right");
		return;
	}
	if (!self->options->repair) {
		self->result.damaged++;
		report(self, subject, RKT_VERDICT_DAMAGED, rkt_error_message(fault));
		return;
	}
	if (why || repair(self, subject, &why) < 0) {
		self->result.damaged++;
		what = xasprintf(
			"%s; not repaired: %s", rkt_error_message(fault), rkt_error_message(why));
		report(self, subject, RKT_VERDICT_DAMAGED, what);
		return;
	}
	self->result.repaired++;
	what = xasprintf("%s; %s", rkt_error_message(fault),
		subject->blob_fault ? "moved to cas/quarantine: import the image again"
				    : "made anew from the blob");
	report(self, subject, RKT_VERDICT_REPAIRED, what);
}

static int verify(struct verify *self, rkt_error **err)
{
	if (self->options->repair && self->store->mode == RKT_STORE_READ)
		return rkt_fail(err, RKT_USAGE, "the store is open for reading only");
	if (db_read(self->store->db, find_subjects, self, err) < 0)
		return -1;
	look_at_all(self);
	for (size_t i = 0; i < self->count; i++)
		judge(self, &self->subjects[i]);
	return 0;
}

int rkt_store_verify(rkt_store *store, const struct rkt_verify_options *options,
	struct rkt_verify_result *ret, rkt_error **err)
{
	struct verify self = { .store = store,
		.options = options,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	int result = store_check_options(options->size, sizeof *options, err);

	if (result == 0 && options->repair)
		result = layout_check_owner(&store->layout, err);
	if (result == 0)
		result = verify(&self, err);
	for (size_t i = 0; i < self.count; i++)
		subject_free(&self.subjects[i]);
	free(self.subjects);
	if (result == 0 && ret)
		*ret = self.result;
	return result;
}
