/*
 * What a store takes: the names in its folders are held against its records, so that what no record
 * names shows too. The records are read in one transaction; folders are walked, and callers called,
 * after it: both may take long.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/usage.h"
#include "store/deps.h"
#include "store/lease.h"

struct image {
	rkt_image_id id;
	char *name, *version; /* NULL: no such label */
	uint64_t blob, indexes, trees, pods;
};

/* A tree of several layers, and the image on top of it. */
struct owner {
	uint8_t tree[KEY_ID_SIZE];
	rkt_image_id image;
};

struct look {
	rkt_store *store;
	const struct rkt_stat_options *options;
	struct rkt_stat_result result;
	db_txn *txn;
	struct image *images; /* by ID */
	size_t count, capacity;
	struct buf owners; /* struct owner, by tree */
	struct buf trees;  /* the keys of all trees, in order */
	struct db_stat index;
	struct buf pods; /* a UUID for each lease */
};

static void look_free(struct look *self)
{
	for (size_t i = 0; i < self->count; i++) {
		free(self->images[i].name);
		free(self->images[i].version);
	}
	free(self->images);
	buf_free(&self->trees);
	buf_free(&self->owners);
	buf_free(&self->pods);
}

/* ---- records --------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->id.text, ((const struct image *)b)->id.text);
}

static struct image *find_image(const struct look *self, const rkt_image_id *id)
{
	const struct image wanted = { .id = *id };

	return self->count ? bsearch(&wanted, self->images, self->count, sizeof wanted, by_id)
			   : NULL;
}

static int find_images(struct look *self, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(self->txn, DB_IMAGE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		struct image_row row;
		struct image *image;

		if (self->count == self->capacity) {
			self->capacity = self->capacity ? 2 * self->capacity : 16;
			self->images =
				xreallocarray(self->images, self->capacity, sizeof *self->images);
		}
		image = &self->images[self->count++];
		*image = (struct image){ .blob = 0 };
		if (key_image_id(key, &image->id, err) < 0 || image_row_read(value, &row, err) < 0)
			return -1;
		image->name = xstrdup(row.name);
		image->version = xstrdup_if(row.version);
	}
	self->result.images = self->count;
	return got;
}

static int find_owner(
	db_txn *txn, const uint8_t *tree, struct slice plan, void *context, rkt_error **err)
{
	struct look *self = context;
	struct plan_reader reader;
	struct owner owner;
	uint32_t above;
	int got;

	(void)txn;
	if (plan_row_start(plan, &reader, err) < 0)
		return -1;
	while ((got = plan_row_next(&reader, &owner.image, &above, err)) > 0)
		; /* the last is the one on top */
	if (got < 0)
		return -1;
	memcpy(owner.tree, tree, sizeof owner.tree);
	buf_append(&self->owners, &owner, sizeof owner);
	return 0;
}

static int by_tree(const void *a, const void *b)
{
	return memcmp(
		((const struct owner *)a)->tree, ((const struct owner *)b)->tree, KEY_ID_SIZE);
}

/* The image that the tree TREE is of: its own, or that on top of its layers; NULL: gone. */
static struct image *image_of_tree(const struct look *self, const rkt_image_id *tree)
{
	struct image *image = find_image(self, tree);
	struct key key = key_of_id(tree);
	const struct owner *owner = NULL;
	struct owner wanted;

	if (image)
		return image;
	memcpy(wanted.tree, key.bytes, sizeof wanted.tree);
	if (self->owners.len)
		owner = bsearch(&wanted, self->owners.data, self->owners.len / sizeof wanted,
			sizeof wanted, by_tree);
	return owner ? find_image(self, &owner->image) : NULL;
}

static int find_trees(struct look *self, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(self->txn, DB_TREE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0)
		if (key.len == KEY_TREE_SIZE)
			buf_append(&self->trees, key.data, key.len);
	return got;
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, KEY_TREE_SIZE);
}

static bool has_tree(const struct look *self, enum record_form form, const rkt_image_id *id)
{
	struct key key = key_of_tree(form, id);

	return self->trees.len && bsearch(key.bytes, self->trees.data,
					  self->trees.len / KEY_TREE_SIZE, KEY_TREE_SIZE, by_key);
}

/* ---- leases ---------------------------------------------------------------------------------- */

static int by_uuid(const void *a, const void *b)
{
	return memcmp(a, b, UUID_TEXT_LEN);
}

static void count_pods(struct look *self)
{
	const uint8_t *pods = self->pods.data;

	if (self->pods.len)
		qsort(self->pods.data, self->pods.len / UUID_TEXT_LEN, UUID_TEXT_LEN, by_uuid);
	for (size_t at = 0; at < self->pods.len; at += UUID_TEXT_LEN)
		if (!at || by_uuid(pods + at, pods + at - UUID_TEXT_LEN) != 0)
			self->result.pods++;
}

static int find_leases(struct look *self, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(self->txn, DB_LEASE, (struct slice){ 0 }, err);
	struct lease lease;
	int got;

	if (!cursor)
		return -1;
	while ((got = lease_next(cursor, &lease, err)) > 0) {
		struct image *image;
		int alive = lease_pod_exists(self->store, lease.uuid, err);

		if (alive < 0)
			return -1;
		if (!alive)
			continue;
		image = find_image(self, &lease.image);
		if (image)
			image->pods++;
		self->result.leases++;
		buf_append(&self->pods, lease.uuid, UUID_TEXT_LEN);
	}
	count_pods(self);
	return got;
}

/* ---- files ----------------------------------------------------------------------------------- */

enum shelf { SHELF_BLOB, SHELF_EROFS, SHELF_ROOTFS };

static void add_space(struct rkt_space *space, uint64_t bytes)
{
	space->count++;
	space->bytes += bytes;
}

/* Counts a file or tree called NAME, which takes BYTES, as what it is. */
static void count_name(struct look *self, enum shelf shelf, const char *name, uint64_t bytes)
{
	const enum record_form form = shelf == SHELF_EROFS ? RECORD_EROFS : RECORD_EXTRACTED;
	struct image *image = NULL;
	rkt_image_id id;
	bool known = false;

	if (rkt_image_id_parse(name, &id, NULL) == 0) {
		image = shelf == SHELF_BLOB ? find_image(self, &id) : image_of_tree(self, &id);
		known = shelf == SHELF_BLOB ? image != NULL : has_tree(self, form, &id);
	}
	if (!known) {
		add_space(&self->result.leftovers, bytes);
		return;
	}
	add_space(shelf == SHELF_BLOB    ? &self->result.blobs
		  : shelf == SHELF_EROFS ? &self->result.indexes
					 : &self->result.trees,
		bytes);
	if (image)
		*(shelf == SHELF_BLOB          ? &image->blob
			: shelf == SHELF_EROFS ? &image->indexes
					       : &image->trees) += bytes;
}

static int names_in(int dir, struct names *names, rkt_error **err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? rkt_fail_errno(err, "open directory") : names_of_dir(fd, names, err);
}

static int look_at_shard(struct look *self, enum shelf shelf, int shard, rkt_error **err)
{
	auto_names struct names names = { 0 };

	if (names_in(shard, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		uint64_t bytes = 0;

		if (usage_add(shard, names.items[i], &bytes, err) < 0)
			return -1;
		count_name(self, shelf, names.items[i], bytes);
	}
	return 0;
}

/* What is no folder is none of the store's: a left-over, as gc tells. */
static int look_at_shard_called(
	struct look *self, enum shelf shelf, int dir, const char *name, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int shard = fd_open_dir(dir, name, &why);
	uint64_t bytes = 0;

	if (shard >= 0)
		return look_at_shard(self, shelf, shard, err);
	if (rkt_error_errno(why) != ENOTDIR)
		return rkt_fail_with(err, pass_ptr(why));
	if (usage_add(dir, name, &bytes, err) < 0)
		return -1;
	add_space(&self->result.leftovers, bytes);
	return 0;
}

static int look_at_shelf(struct look *self, enum shelf shelf, int dir, rkt_error **err)
{
	auto_names struct names shards = { 0 };

	if (names_in(dir, &shards, err) < 0)
		return -1;
	for (size_t i = 0; i < shards.count; i++)
		if (look_at_shard_called(self, shelf, dir, shards.items[i], err) < 0)
			return -1;
	return 0;
}

/* Counts all that is in DIR to SPACE. */
static int look_at_all(int dir, struct rkt_space *space, rkt_error **err)
{
	auto_names struct names names = { 0 };

	if (names_in(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		uint64_t bytes = 0;

		if (usage_add(dir, names.items[i], &bytes, err) < 0)
			return -1;
		add_space(space, bytes);
	}
	return 0;
}

/* The same in the folder NAME of cas, which may be missing. */
static int look_at_folder(
	struct look *self, const char *name, struct rkt_space *space, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int cas = fd_open_dir(self->store->layout.top, "cas", err);
	auto_fd int dir = cas < 0 ? -1 : fd_open_dir(cas, name, &why);

	if (cas < 0)
		return -1;
	if (dir < 0 && rkt_error_kind(why) != RKT_MISSING)
		return rkt_fail_with(err, pass_ptr(why));
	return dir < 0 ? 0 : look_at_all(dir, space, err);
}

/* What root keeps from the members of the group that it shares the store with (share.c). */
static int look_at_closed(struct look *self, rkt_error **err)
{
	if (self->store->layout.member) {
		self->result.trees.count = RKT_HIDDEN;
		self->result.quarantine.count = RKT_HIDDEN;
		return 0;
	}
	if (look_at_shelf(self, SHELF_ROOTFS, self->store->layout.rootfs, err) < 0)
		return -1;
	return look_at_folder(self, "quarantine", &self->result.quarantine, err);
}

static int look_at_files(struct look *self, rkt_error **err)
{
	const struct layout *layout = &self->store->layout;
	struct statvfs disk;

	if (look_at_shelf(self, SHELF_BLOB, layout->blob, err) < 0 ||
		look_at_shelf(self, SHELF_EROFS, layout->erofs, err) < 0 ||
		look_at_all(layout->tmp, &self->result.leftovers, err) < 0 ||
		look_at_folder(self, "partial", &self->result.leftovers, err) < 0 ||
		look_at_closed(self, err) < 0)
		return -1;
	if (fstatvfs(layout->top, &disk) < 0)
		return rkt_fail_errno(err, "statvfs");
	self->result.disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
	self->result.disk_size = (uint64_t)disk.f_blocks * disk.f_frsize;
	return 0;
}

/* ---- the index, and all of it ---------------------------------------------------------------- */

static void tell_index(struct look *self)
{
	struct rkt_stat_result *result = &self->result;
	const struct db_stat *stat = &self->index;

	result->index_bytes = stat->file_bytes;
	result->map_bytes = stat->map_bytes;
	result->page_bytes = stat->page_bytes;
	result->pages = stat->pages;
	result->pages_free = stat->pages_free;
	result->readers = stat->readers;
	result->readers_max = stat->readers_max;
	result->readers_cleared = stat->readers_cleared;
	for (size_t i = 0; self->options->table && i < DB_TABLE_COUNT; i++) {
		const struct db_table_stat *table = &stat->tables[i];

		self->options->table(self->options->context,
			&(struct rkt_table_stat){
				table->name, table->entries, table->pages, table->depth });
	}
}

static void tell_images(const struct look *self)
{
	for (size_t i = 0; self->options->image && i < self->count; i++) {
		const struct image *image = &self->images[i];
		const struct rkt_image_stat told = { .id = &image->id,
			.name = image->name,
			.version = image->version,
			.blob = image->blob,
			.indexes = image->indexes,
			.trees = self->store->layout.member ? RKT_HIDDEN : image->trees,
			.pods = image->pods };

		self->options->image(self->options->context, &told);
	}
}

static int read_records(db_txn *txn, void *context, rkt_error **err)
{
	struct look *self = context;

	self->txn = txn;
	if (find_images(self, err) < 0 || deps_each_plan(txn, find_owner, self, err) < 0 ||
		find_trees(self, err) < 0 || find_leases(self, err) < 0)
		return -1;
	return db_stat(txn, &self->index, err);
}

static int look(struct look *self, rkt_error **err)
{
	if (db_read(self->store->db, read_records, self, err) < 0 || look_at_files(self, err) < 0)
		return -1;
	tell_index(self);
	tell_images(self);
	return 0;
}

int rkt_store_stat(rkt_store *store, const struct rkt_stat_options *options,
	struct rkt_stat_result *ret, rkt_error **err)
{
	struct look self = { .store = store, .options = options };
	int result = store_check_options(options->size, sizeof *options, err);

	if (result == 0)
		result = look(&self, err);
	if (result == 0)
		*ret = self.result;
	look_free(&self);
	return result;
}
