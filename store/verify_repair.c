/* Repair: an index made anew takes its place; a blob that cannot be mended is put away. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "store/remove.h"
#include "store/tree.h"
#include "store/verify.h"

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
	if (db_write_less(self->store->db, remove_unleased, removal, err) < 0)
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

	removal_free(&removal);
	return result;
}

const char *verify_repair(struct verify *self, struct subject *subject, rkt_error **err)
{
	bool blob = subject->blob_fault && verify_is_damage(subject->blob_fault);

	if (blob && subject->layers) {
		rkt_fail(err, RKT_FAILED, "that takes all its layers");
		return NULL;
	}
	if (blob)
		return put_away(self, subject, err) < 0
			       ? NULL
			       : "moved to cas/quarantine: import the image again";
	if (!subject->blob_fault && verify_is_damage(subject->index_fault) &&
		subject->index.fd >= 0)
		return put_index_back(self, subject, err) < 0 ? NULL
		       : subject->layers ? "made anew from the blobs of its layers"
					 : "made anew from the blob";
	rkt_fail(err, RKT_FAILED, "it could not be looked at");
	return NULL;
}
