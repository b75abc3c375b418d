/* Repair: an index made anew takes its place; a blob that cannot be mended is put away. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "store/remove.h"
#include "store/tree.h"
#include "store/verify.h"

/* Writes the index made anew into the store, durably. Who holds the naming lock alone must not wait
 * for it. */
static int write_anew(
	struct verify *self, const struct subject *subject, struct scratch *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "write the EROFS index", NULL);

	if (scratch_open_locked(&self->store->layout, ret, err) < 0)
		return -1;
	return fd_copy_sparse(subject->index, ret->fd, err) < 0 ? -1 : scratch_sync(ret, err);
}

/* Under the naming lock: the index made anew takes the place of the damaged one. A mount of the
 * damaged one goes as soon as nobody uses it. */
static int put_index_back(struct verify *self, struct subject *subject, rkt_error **err)
{
	auto_scratch struct scratch file = SCRATCH_EMPTY;
	auto_fd int shard = -1;

	if (write_anew(self, subject, &file, err) < 0)
		return -1;
	shard = layout_shard_make(self->store->layout.erofs, &subject->id, err);
	if (shard < 0 || scratch_replace(&file, shard, subject->id.text, err) < 0)
		return -1;
	if (fsync(shard) < 0)
		return rkt_fail_errno(err, "fsync folder");
	return tree_unmount_unused(self->store, &subject->id, err);
}

/* An image on its way out of the store. */
struct departure {
	struct removal removal;
	struct buf dependents; /* words about the images that depend on it */
	bool moved;            /* its blob was there to be put away */
};

static int name_dependents(db_txn *txn, struct departure *self, rkt_error **err)
{
	struct breaks *breaks = &self->removal.breaks;

	self->dependents.len = 0;
	if (breaks_find_images(txn, self->removal.id, breaks, err) < 0)
		return -1;
	for (size_t at = 0; at < breaks->images.len; at += KEY_ID_SIZE) {
		rkt_image_id id = key_to_id(breaks->images.data + at);
		struct image_row row;
		int got = store_get_image(txn, &id, &row, err);

		if (got < 0)
			return -1;
		if (got)
			buf_printf(&self->dependents, "%s %s (%s)",
				self->dependents.len ? "," : "; it was a dependency of", id.text,
				row.name);
	}
	return 0;
}

static int remove_records(db_txn *txn, void *context, rkt_error **err)
{
	struct departure *self = context;

	return name_dependents(txn, self, err) < 0 ? -1 : remove_unleased(txn, &self->removal, err);
}

/* When its records are gone: the blob into SHELF, the rest away. */
static int put_files_away(
	struct verify *self, struct departure *departure, int shelf, rkt_error **err)
{
	const rkt_image_id *id = departure->removal.id;
	auto_fd int shard = layout_shard_open(self->store->layout.blob, id, NULL);
	uint64_t freed;

	departure->moved = shard >= 0 && renameat(shard, id->text, shelf, id->text) == 0;
	if (shard >= 0 && !departure->moved && errno != ENOENT)
		return rkt_fail_errno(err, "move the blob to cas/quarantine");
	return remove_files(self->store, id, &departure->removal.trees, &freed, err);
}

/* Under the naming lock: takes a damaged blob out of the store, into cas/quarantine, where it can
 * still be looked at. */
static int take_out(struct verify *self, struct departure *departure, rkt_error **err)
{
	const struct layout *layout = &self->store->layout;
	auto_fd int cas = fd_open_dir(layout->top, "cas", err), shelf = -1;

	shelf = cas < 0 ? -1 : fd_make_dir(cas, "quarantine", 0700, NULL, err);
	if (shelf < 0)
		return -1;
	if (fsync(cas) < 0)
		return rkt_fail_errno(err, "fsync cas");
	if (db_write_less(self->store->db, remove_records, departure, err) < 0)
		return -1;
	if (put_files_away(self, departure, shelf, err) < 0)
		return rkt_fail_outer(err,
			"it is out of the store, but not all of it could be put away; gc removes what is left");
	(void)remove_scraps(self->store, NULL, NULL, NULL); /* its tree; what stays is gc's */
	return 0;
}

static char *put_away(struct verify *self, const struct subject *subject, rkt_error **err)
{
	struct departure departure = { .removal = { .store = self->store, .id = &subject->id } };
	char *done = NULL;

	if (take_out(self, &departure, err) == 0)
		done = xasprintf("%s: import the image again%s",
			departure.moved ? "moved to cas/quarantine" : "its record is taken out",
			buf_text(&departure.dependents));
	removal_free(&departure.removal);
	buf_free(&departure.dependents);
	return done;
}

char *verify_repair(struct verify *self, struct subject *subject, rkt_error **err)
{
	bool blob = subject->blob_fault && verify_is_damage(subject->blob_fault);

	if (blob && subject->layers) {
		rkt_fail(err, RKT_FAILED, "that takes all its layers");
		return NULL;
	}
	if (blob)
		return put_away(self, subject, err);
	if (!subject->blob_fault && verify_is_damage(subject->index_fault) && subject->index >= 0)
		return put_index_back(self, subject, err) < 0
			       ? NULL
			       : xasprintf("made anew from the blob%s",
					 subject->layers ? "s of its layers" : "");
	rkt_fail(err, RKT_FAILED, "it could not be looked at");
	return NULL;
}
