/* Removing an image, and what removal leaves to be swept up. */
#include "store/remove.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/lock.h"
#include "base/str.h"
#include "base/tree.h"
#include "base/usage.h"
#include "store/alias.h"
#include "store/deps.h"
#include "store/lease.h"
#include "store/origin.h"
#include "store/tree.h"

static int remove_name(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct image_row row;
	struct key key;
	int got = store_get_image(txn, id, &row, err);

	if (got <= 0)
		return got;
	if (key_of_name(row.name, row.imported_ns, id, &key, err) < 0)
		return -1;
	return db_delete(txn, DB_NAME, key_slice(&key), err);
}

/* Whether pods may be running on the extracted tree: 1, 0, or -1. */
static int is_run_on(rkt_store *store, db_txn *txn, const rkt_image_id *tree, rkt_error **err)
{
	struct tree_row row;
	int got = store_get_tree(txn, RECORD_EXTRACTED, tree, &row, err);

	return got > 0 ? lease_holders(store, txn, tree, NULL, err) : got;
}

int remove_tree_records(rkt_store *store, db_txn *txn, const rkt_image_id *tree, rkt_error **err)
{
	static const enum record_form forms[] = { RECORD_EROFS, RECORD_PLAN, RECORD_EXTRACTED };
	int used = is_run_on(store, txn, tree, err);

	if (used < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct key key = key_of_tree(forms[i], tree);

		if (forms[i] == RECORD_EXTRACTED && used)
			return 0;
		if (db_delete(txn, DB_TREE, key_slice(&key), err) < 0)
			return -1;
	}
	return lease_drop_image(txn, tree, err);
}

/* Whether the plan VALUE has the layer ID: 1, 0, or -1. */
static int plan_has(struct slice value, const rkt_image_id *id, rkt_error **err)
{
	struct plan_reader plan;
	rkt_image_id layer;
	uint32_t above;
	int got;

	if (plan_row_start(value, &plan, err) < 0)
		return -1;
	while ((got = plan_row_next(&plan, &layer, &above, err)) > 0)
		if (strcmp(layer.text, id->text) == 0)
			return 1;
	return got;
}

struct trees_of {
	const rkt_image_id *id;
	struct buf *trees; /* raw IDs */
};

/* Takes note of a tree that the image is a layer of. */
static int find_tree(
	db_txn *txn, const uint8_t *tree, struct slice plan, void *context, rkt_error **err)
{
	const struct trees_of *self = context;
	int has = plan_has(plan, self->id, err);

	(void)txn;
	if (has > 0)
		buf_append(self->trees, tree, KEY_ID_SIZE);
	return has < 0 ? -1 : 0;
}

int remove_image_records(rkt_store *store, db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct key image = key_of_id(id);

	if (remove_name(txn, id, err) < 0 || alias_drop_image(txn, id, err) < 0 ||
		db_delete(txn, DB_MANIFEST, key_slice(&image), err) < 0 ||
		db_delete(txn, DB_USED, key_slice(&image), err) < 0 ||
		origin_drop(txn, id, err) < 0 || remove_tree_records(store, txn, id, err) < 0)
		return -1;
	return db_delete(txn, DB_IMAGE, key_slice(&image), err);
}

static int remove_records(struct removal *self, db_txn *txn, rkt_error **err)
{
	struct trees_of found = { self->id, &self->trees };

	self->trees.len = 0;
	if (deps_each_plan(txn, find_tree, &found, err) < 0)
		return -1;
	for (size_t at = 0; at < self->trees.len; at += KEY_ID_SIZE) {
		rkt_image_id tree = key_to_id(self->trees.data + at);

		if (remove_tree_records(self->store, txn, &tree, err) < 0)
			return -1;
	}
	return remove_image_records(self->store, txn, self->id, err);
}

/* Unlinks ID's file on SHELF and adds its size to *FREED. */
static int unlink_file(int shelf, const rkt_image_id *id, uint64_t *freed, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int shard = layout_shard_open(shelf, id, &why);
	struct stat st;

	if (shard < 0 && rkt_error_kind(why) == RKT_MISSING)
		return 0;
	if (shard < 0)
		return rkt_fail_with(err, pass_ptr(why));
	if (fstatat(shard, id->text, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*freed += (uint64_t)st.st_size;
	if (unlinkat(shard, id->text, 0) < 0 && errno != ENOENT)
		return rkt_fail_errno(err, "remove %s", id->text);
	return 0;
}

struct leased {
	rkt_store *store;
	const rkt_image_id *tree;
	int holders;
};

static int count_holders(db_txn *txn, void *context, rkt_error **err)
{
	struct leased *self = context;

	self->holders = lease_holders(self->store, txn, self->tree, NULL, err);
	return self->holders < 0 ? -1 : 0;
}

int remove_tree_files(rkt_store *store, const rkt_image_id *tree, uint64_t *freed, rkt_error **err)
{
	struct leased leased = { store, tree, 0 };
	bool moved;

	if (tree_unmount_unused(store, tree, err) < 0 ||
		db_read(store->db, count_holders, &leased, err) < 0)
		return -1;
	if (!leased.holders && tree_discard_extracted(store, tree, &moved, err) < 0)
		return -1;
	return unlink_file(store->layout.erofs, tree, freed, err);
}

int remove_files(rkt_store *store, const rkt_image_id *id, const struct buf *trees,
	uint64_t *ret_freed, rkt_error **err)
{
	*ret_freed = 0;
	for (size_t at = 0; at < trees->len; at += KEY_ID_SIZE) {
		rkt_image_id tree = key_to_id(trees->data + at);

		if (remove_tree_files(store, &tree, ret_freed, err) < 0)
			return -1;
	}
	if (remove_tree_files(store, id, ret_freed, err) < 0)
		return -1;
	return unlink_file(store->layout.blob, id, ret_freed, err);
}

/* Opens and locks NAME in cas/tmp: 1 with the descriptor, 0 when somebody works on it, -1. */
static int claim(const rkt_store *store, const char *name, int *ret_fd, rkt_error **err)
{
	auto_fd int fd =
		openat(store->layout.tmp, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int got;

	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == EACCES || errno == ENXIO))
		return 0; /* gone meanwhile, or nothing we made */
	if (fd < 0)
		return rkt_fail_errno(err, "open cas/tmp/%s", name);
	got = lock_try(fd, LOCK_EXCLUSIVE, err);
	if (got > 0)
		*ret_fd = pass_fd(fd);
	return got;
}

static int remove_scrap(rkt_store *store, const char *name, remove_report_fn *report, void *context,
	rkt_error **err)
{
	auto_fd int fd = -1;
	int got = claim(store, name, &fd, err);
	uint64_t bytes = 0;

	if (got <= 0)
		return got;
	if (report && usage_add(store->layout.tmp, name, &bytes, err) < 0)
		return -1;
	if (tree_remove(store->layout.tmp, name, err) < 0)
		return -1;
	if (report)
		report(context, name, bytes);
	return 0;
}

int remove_scraps(rkt_store *store, remove_report_fn *report, void *context, rkt_error **err)
{
	auto_fd int fd = openat(store->layout.tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!stream)
		return rkt_fail_errno(err, "open cas/tmp");
	fd = -1; /* the stream owns it */
	while ((errno = 0, entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (remove_scrap(store, entry->d_name, report, context, result < 0 ? NULL : err) <
			0)
			result = -1;
	}
	return errno ? rkt_fail_errno(result < 0 ? NULL : err, "read cas/tmp") : result;
}

int remove_unleased(db_txn *txn, void *context, rkt_error **err)
{
	struct removal *self = context;
	struct buf *pods = &self->breaks.pods;
	struct image_row row;
	int got = store_get_image(txn, self->id, &row, err), holders;

	pods->len = 0;
	if (!got)
		return store_no_image(self->id->text, err);
	holders = got < 0 ? -1 : lease_holders(self->store, txn, self->id, pods, err);
	if (holders < 0)
		return -1;
	if (holders && !self->options.force)
		return rkt_fail(err, RKT_FAILED, "%s is in use by pod%s%s", self->id->text,
			str_plural((uint64_t)holders), buf_text(pods));
	if (self->options.report && breaks_find_images(txn, self->id, &self->breaks, err) < 0)
		return -1;
	return remove_records(self, txn, err);
}

void removal_free(struct removal *self)
{
	buf_free(&self->trees);
	breaks_free(&self->breaks);
}

/* *RET_GONE becomes true when its records are, also where it fails afterwards. */
static int remove_image(struct removal *self, bool *ret_gone, rkt_error **err)
{
	rkt_store *store = self->store;
	auto_fd int removing = layout_lock(&store->layout, LAYOUT_REMOVING, err);
	uint64_t freed;

	if (removing < 0 || db_write_less(store->db, remove_unleased, self, err) < 0)
		return -1;
	*ret_gone = true;
	if (remove_files(store, self->id, &self->trees, &freed, err) < 0 ||
		remove_scraps(store, NULL, NULL, err) < 0)
		return rkt_fail_outer(err,
			"it is out of the store, but not all that it leaves could be removed; gc tries again");
	return 0;
}

int rkt_store_remove_with(rkt_store *store, const rkt_image_id *id,
	const struct rkt_remove_options *options, rkt_error **err)
{
	struct removal self = { .store = store, .id = id };
	bool gone = false;
	int result = 0;

	if (options) {
		result = store_check_options(options->size, sizeof *options, err);
		if (result == 0)
			self.options = *options;
	}
	if (result == 0)
		result = remove_image(&self, &gone, err);
	if (gone) /* not under the naming lock: who is told may keep us waiting, and all others */
		breaks_tell(&self.breaks, &self.options);
	removal_free(&self);
	return result;
}

int rkt_store_remove(rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	return rkt_store_remove_with(store, id, NULL, err);
}
