/*
 * Collection: images nobody leases and nobody imported lately, trees nobody uses, left-overs.
 *
 * All under the naming lock, so no import is between its first file name and its commit. Decisions
 * and removal of records are one transaction; files follow (S-040, S-044).
 */
#include "rkt/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/time.h"
#include "store/deps.h"
#include "store/lease.h"
#include "store/remove.h"
#include "store/tree.h"

enum fate { FATE_REMOVE, FATE_KEEP, FATE_DROP_TREE };

struct decision {
	rkt_image_id id; /* of an image; or of a tree of several layers */
	enum fate fate;
	uint64_t size; /* what removal would free */
	char *reason;
};

struct decisions {
	struct decision *items;
	size_t count, capacity;
};

struct gc {
	rkt_store *store;
	const struct rkt_gc_options *options;
	struct rkt_gc_result result;
	uint64_t now_ns;
	struct decisions images, trees;
	struct buf wanted; /* raw IDs of the trees that images kept have now */
	struct buf dead;   /* keys of leases whose pod is gone */
};

static struct decision *add_decision(struct decisions *list)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		list->items = xreallocarray(list->items, list->capacity, sizeof *list->items);
	}
	list->items[list->count] = (struct decision){ .fate = FATE_KEEP };
	return &list->items[list->count++];
}

static void forget_list(struct decisions *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].reason);
	list->count = 0;
}

static void forget(struct gc *self)
{
	forget_list(&self->images);
	forget_list(&self->trees);
	self->wanted.len = 0;
	self->dead.len = 0;
}

static void report(
	const struct gc *self, const char *what, const char *decision, const char *reason)
{
	if (self->options->report)
		self->options->report(self->options->context, what, decision, reason);
}

/* ---- decisions ------------------------------------------------------------------------------- */

static int find_dead_leases(struct gc *self, db_txn *txn, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_LEASE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		char uuid[UUID_TEXT_LEN + 1];
		rkt_image_id id;
		int alive;

		if (key_lease_read(key, &id, uuid, err) < 0)
			return -1;
		alive = lease_pod_exists(self->store, uuid, err);
		if (alive < 0)
			return -1;
		if (!alive)
			buf_append(&self->dead, key.data, key.len);
	}
	return got;
}

/* Whether NS lies within the grace period; times in the future do. */
static bool is_fresh(const struct gc *self, uint64_t ns)
{
	return ns > self->now_ns ||
	       (self->now_ns - ns) / 1000000000u < (uint64_t)self->options->grace_sec;
}

static char *ago(const struct gc *self, const char *what, uint64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return xasprintf("%s %s", what,
		time_ago((int64_t)(ns / 1000000000u), (int64_t)(self->now_ns / 1000000000u), text));
}

static int decide(
	struct gc *self, db_txn *txn, struct slice key, struct slice value, rkt_error **err)
{
	struct decision *next;
	auto_buf struct buf pods = { 0 };
	struct image_row row;
	struct tree_row extracted_tree = { 0 }, index = { 0 };
	int holders, extracted;

	next = add_decision(&self->images);
	if (key_image_id(key, &next->id, err) < 0 || image_row_read(value, &row, err) < 0)
		return -1;
	holders = lease_holders(self->store, txn, &next->id, &pods, err);
	if (holders < 0 || store_get_tree(txn, RECORD_EROFS, &next->id, &index, err) < 0)
		return -1;
	extracted = store_get_tree(txn, RECORD_EXTRACTED, &next->id, &extracted_tree, err);
	if (extracted < 0)
		return -1;
	next->size = row.size + index.size;
	if (holders) {
		next->reason =
			xasprintf("in use by pod%s%s", holders > 1 ? "s" : "", buf_text(&pods));
	} else if (is_fresh(self, row.imported_ns)) {
		next->reason = ago(self, "imported", row.imported_ns);
		if (extracted && !is_fresh(self, extracted_tree.made_ns))
			next->fate = FATE_DROP_TREE;
	} else {
		next->fate = FATE_REMOVE;
		next->reason = ago(self, "no pod uses it; imported", row.imported_ns);
	}
	return 0;
}

/* ---- what images that stay are made of ------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct decision *)a)->id.text, ((const struct decision *)b)->id.text);
}

/* Keeps what IMAGE, which stays, depends on now. One whose dependencies are not there cannot be
 * used anyway, and keeps nothing. */
static int keep_layers(struct gc *self, db_txn *txn, const struct decision *image, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_layers rkt_layers *layers = NULL;
	struct key tree;

	if (deps_resolve(txn, &image->id, &layers, &why) < 0) {
		if (rkt_error_kind(why) == RKT_MISSING || rkt_error_kind(why) == RKT_INVALID)
			return 0;
		return rkt_fail_with(err, pass_ptr(why));
	}
	if (deps_is_plain(layers))
		return 0;
	tree = key_of_id(&layers->tree);
	buf_append(&self->wanted, tree.bytes, tree.len);
	for (size_t i = 0; i + 1 < layers->count; i++) {
		const struct decision wanted = { .id = layers->items[i].id };
		struct decision *layer = bsearch(
			&wanted, self->images.items, self->images.count, sizeof wanted, by_id);

		if (!layer || layer->fate != FATE_REMOVE)
			continue;
		free(layer->reason);
		layer->fate = FATE_KEEP;
		layer->reason = xasprintf("%s needs it", image->id.text);
	}
	return 0;
}

/* Images that stay for their own sake first: who stays as a layer has its layers in the same
 * list. */
static int keep_all_layers(struct gc *self, db_txn *txn, rkt_error **err)
{
	for (size_t i = 0; i < self->images.count; i++)
		if (self->images.items[i].fate != FATE_REMOVE &&
			keep_layers(self, txn, &self->images.items[i], err) < 0)
			return -1;
	return 0;
}

static bool is_wanted(const struct gc *self, const uint8_t *tree)
{
	for (size_t at = 0; at < self->wanted.len; at += KEY_ID_SIZE)
		if (memcmp(self->wanted.data + at, tree, KEY_ID_SIZE) == 0)
			return true;
	return false;
}

/* A tree of several layers stays while a pod has it, or while its image stays and would be made the
 * same today. */
static int decide_tree(
	db_txn *txn, const uint8_t *raw, struct slice plan, void *context, rkt_error **err)
{
	struct gc *self = context;
	struct decision *next = add_decision(&self->trees);
	auto_buf struct buf pods = { 0 };
	struct tree_row index = { 0 }, extracted = { 0 };
	int holders, has_extracted;

	(void)plan;
	next->id = key_to_id(raw);
	holders = lease_holders(self->store, txn, &next->id, &pods, err);
	if (holders < 0 || store_get_tree(txn, RECORD_EROFS, &next->id, &index, err) < 0)
		return -1;
	has_extracted = store_get_tree(txn, RECORD_EXTRACTED, &next->id, &extracted, err);
	if (has_extracted < 0)
		return -1;
	next->size = index.size;
	if (holders) {
		next->reason =
			xasprintf("in use by pod%s%s", holders > 1 ? "s" : "", buf_text(&pods));
	} else if (!is_wanted(self, raw)) {
		next->fate = FATE_REMOVE;
		next->reason = xstrdup("no image is made of these layers now");
	} else {
		next->reason = xstrdup("its image stays");
		if (has_extracted && !is_fresh(self, extracted.made_ns))
			next->fate = FATE_DROP_TREE;
	}
	return 0;
}

static int decide_all(db_txn *txn, void *context, rkt_error **err)
{
	struct gc *self = context;
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_IMAGE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	forget(self);
	if (!cursor || find_dead_leases(self, txn, err) < 0)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0)
		if (decide(self, txn, key, value, err) < 0)
			return -1;
	if (got < 0 || keep_all_layers(self, txn, err) < 0)
		return -1;
	return deps_each_plan(txn, decide_tree, self, err);
}

static int drop_extracted(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct key key = key_of_tree(RECORD_EXTRACTED, id);

	return db_delete(txn, DB_TREE, key_slice(&key), err);
}

static int apply_decisions(
	struct gc *self, db_txn *txn, const struct decisions *list, rkt_error **err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct decision *decision = &list->items[i];
		auto_buf struct buf trees = { 0 }; /* these have decisions of their own */
		int result = 0;

		if (decision->fate == FATE_DROP_TREE)
			result = drop_extracted(txn, &decision->id, err);
		else if (decision->fate == FATE_REMOVE && list == &self->images)
			result = remove_records(txn, &decision->id, &trees, err);
		else if (decision->fate == FATE_REMOVE)
			result = remove_tree_records(txn, &decision->id, err);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int apply(db_txn *txn, void *context, rkt_error **err)
{
	struct gc *self = context;

	if (decide_all(txn, self, err) < 0)
		return -1;
	for (size_t at = 0; at < self->dead.len; at += KEY_LEASE_SIZE) {
		struct slice key = { self->dead.data + at, KEY_LEASE_SIZE };

		if (db_delete(txn, DB_LEASE, key, err) < 0)
			return -1;
	}
	return apply_decisions(self, txn, &self->trees, err) < 0
		       ? -1
		       : apply_decisions(self, txn, &self->images, err);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int carry_out(struct gc *self, const struct decision *decision, rkt_error **err)
{
	static const struct buf none = { 0 };
	uint64_t freed = decision->size;
	bool moved;

	if (decision->fate == FATE_KEEP) {
		self->result.images_kept++;
		report(self, decision->id.text, "kept", decision->reason);
		return self->options->dry_run
			       ? 0
			       : tree_unmount_unused(self->store, &decision->id, err);
	}
	if (decision->fate == FATE_DROP_TREE) {
		self->result.images_kept++;
		report(self, decision->id.text, "kept, its extracted tree removed",
			decision->reason);
		return self->options->dry_run
			       ? 0
			       : tree_discard_extracted(self->store, &decision->id, &moved, err);
	}
	if (!self->options->dry_run &&
		remove_files(self->store, &decision->id, &none, &freed, err) < 0)
		return -1;
	self->result.images_removed++;
	self->result.bytes_freed += freed;
	report(self, decision->id.text, "removed", decision->reason);
	return 0;
}

/* The same for a tree of several layers, which is told only when something happens to it. */
static int carry_out_tree(struct gc *self, const struct decision *decision, rkt_error **err)
{
	auto_free char *what = xasprintf("the tree %s", decision->id.text);
	bool really = !self->options->dry_run, moved;
	uint64_t freed = 0;

	if (decision->fate == FATE_KEEP)
		return really ? tree_unmount_unused(self->store, &decision->id, err) : 0;
	if (decision->fate == FATE_DROP_TREE) {
		report(self, what, "kept, its extracted form removed", decision->reason);
		return really ? tree_discard_extracted(self->store, &decision->id, &moved, err) : 0;
	}
	if (really && remove_tree_files(self->store, &decision->id, &freed, err) < 0)
		return -1;
	self->result.files_removed++;
	self->result.bytes_freed += really ? freed : decision->size;
	report(self, what, "removed", decision->reason);
	return 0;
}

struct shelf {
	int dir;
	const char *name;
	enum { SHELF_BLOB, SHELF_EROFS, SHELF_ROOTFS } what;
};

struct question {
	const struct shelf *shelf;
	rkt_image_id id;
	bool recorded;
};

static int is_recorded(db_txn *txn, void *context, rkt_error **err)
{
	struct question *self = context;
	struct image_row row;
	struct tree_row tree;
	int got = self->shelf->what == SHELF_BLOB
			  ? store_get_image(txn, &self->id, &row, err)
			  : store_get_tree(txn,
				    self->shelf->what == SHELF_EROFS ? RECORD_EROFS
								     : RECORD_EXTRACTED,
				    &self->id, &tree, err);

	self->recorded = got > 0;
	return got < 0 ? -1 : 0;
}

static int remove_leftover(struct gc *self, const struct shelf *shelf, int shard,
	const rkt_image_id *id, rkt_error **err)
{
	struct stat st;
	bool moved;

	if (fstatat(shard, id->text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "stat %s", id->text);
	if (self->options->dry_run)
		return 0;
	if (shelf->what == SHELF_ROOTFS)
		return tree_discard_extracted(self->store, id, &moved, err);
	if (unlinkat(shard, id->text, 0) < 0)
		return rkt_fail_errno(err, "remove %s", id->text);
	self->result.bytes_freed += (uint64_t)st.st_size;
	return 0;
}

/* Looks at one name of a shard. What we could not have made ourselves is left alone. */
static int sweep_name(
	struct gc *self, const struct shelf *shelf, int shard, const char *name, rkt_error **err)
{
	struct question question = { .shelf = shelf };
	auto_free char *what = xasprintf("cas/%s/…/%s", shelf->name, name);

	if (rkt_image_id_parse(name, &question.id, NULL) < 0) {
		report(self, what, "kept", "not a name the store gives");
		return 0;
	}
	if (db_read(self->store->db, is_recorded, &question, err) < 0)
		return -1;
	if (question.recorded)
		return 0;
	if (remove_leftover(self, shelf, shard, &question.id, err) < 0)
		return -1;
	self->result.files_removed++;
	report(self, what, "removed", "no record names it");
	return 0;
}

typedef int visit_fn(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err);

static int for_each_name(
	struct gc *self, const struct shelf *shelf, int dir, visit_fn *visit, rkt_error **err)
{
	auto_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream)
		return rkt_fail_errno(err, "open cas/%s", shelf->name);
	fd = -1; /* the stream owns it */
	while ((errno = 0, entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (visit(self, shelf, dir, entry->d_name, err) < 0)
			return -1;
	}
	return errno ? rkt_fail_errno(err, "read cas/%s", shelf->name) : 0;
}

static int sweep_shard(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err)
{
	auto_fd int shard = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (shard < 0)
		return rkt_fail_errno(err, "open cas/%s/sha256/%s", shelf->name, name);
	return for_each_name(self, shelf, shard, sweep_name, err);
}

static void scrap_removed(void *context, const char *name)
{
	struct gc *self = context;
	auto_free char *what = xasprintf("cas/tmp/%s", name);

	if (str_has_prefix(name, "gone-"))
		return; /* told when its image or tree was */
	self->result.files_removed++;
	report(self, what, "removed", "nobody works on it");
}

/* Mounts of images that are gone altogether; those of images that stay were seen to before. */
static int sweep_mount(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err)
{
	rkt_image_id id;

	(void)shelf;
	(void)dir;
	return rkt_image_id_parse(name, &id, NULL) < 0 ? 0
						       : tree_unmount_unused(self->store, &id, err);
}

static int sweep(struct gc *self, rkt_error **err)
{
	const struct layout *layout = &self->store->layout;
	const struct shelf shelves[] = {
		{ layout->blob, "blob", SHELF_BLOB },
		{ layout->erofs, "erofs", SHELF_EROFS },
		{ layout->rootfs, "rootfs", SHELF_ROOTFS },
	};
	const struct shelf mounts = { layout->mnt, "mnt", SHELF_EROFS };

	for (size_t i = 0; i < ARRAY_LEN(shelves); i++)
		if (for_each_name(self, &shelves[i], shelves[i].dir, sweep_shard, err) < 0)
			return -1;
	if (self->options->dry_run)
		return 0;
	if (for_each_name(self, &mounts, mounts.dir, sweep_mount, err) < 0)
		return -1;
	return remove_scraps(self->store, scrap_removed, self, err);
}

static int collect(struct gc *self, rkt_error **err)
{
	auto_fd int removing = layout_lock(&self->store->layout, LAYOUT_REMOVING, err);
	int result;

	if (removing < 0)
		return -1;
	result = self->options->dry_run ? db_read(self->store->db, decide_all, self, err)
					: db_write(self->store->db, apply, self, err);
	for (size_t i = 0; result == 0 && i < self->trees.count; i++)
		result = carry_out_tree(self, &self->trees.items[i], err);
	for (size_t i = 0; result == 0 && i < self->images.count; i++)
		result = carry_out(self, &self->images.items[i], err);
	return result < 0 ? -1 : sweep(self, err);
}

int rkt_store_gc(rkt_store *store, const struct rkt_gc_options *options, struct rkt_gc_result *ret,
	rkt_error **err)
{
	struct gc self = { .store = store, .options = options, .now_ns = store_now_ns() };
	int result = store_check_options(options->size, sizeof *options, err);

	if (result == 0)
		result = collect(&self, err);
	forget(&self);
	free(self.images.items);
	free(self.trees.items);
	buf_free(&self.wanted);
	buf_free(&self.dead);
	if (result == 0 && ret)
		*ret = self.result;
	return result;
}
