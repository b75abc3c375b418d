/* Decisions of gc: pods, times, and what images that stay are made of. */
#include "store/gc.h"

#include <string.h>

#include "base/alloc.h"
#include "base/time.h"
#include "store/deps.h"
#include "store/lease.h"

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
	free(list->items);
	*list = (struct decisions){ 0 };
}

void gc_forget(struct gc *self)
{
	forget_list(&self->images);
	forget_list(&self->trees);
	buf_free(&self->wanted);
	buf_free(&self->dead);
}

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

int gc_decide(db_txn *txn, void *context, rkt_error **err)
{
	struct gc *self = context;
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_IMAGE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	gc_forget(self);
	if (!cursor || find_dead_leases(self, txn, err) < 0)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0)
		if (decide(self, txn, key, value, err) < 0)
			return -1;
	if (got < 0 || keep_all_layers(self, txn, err) < 0)
		return -1;
	return deps_each_plan(txn, decide_tree, self, err);
}
