/* Decisions of gc: pods, times, and what images that stay are made of. */
#include "store/gc.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
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
	buf_free(&self->unlearnt);
}

static int find_dead_leases(struct gc *self, db_txn *txn, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_LEASE, (struct slice){ 0 }, err);
	struct lease lease;
	int got;

	if (!cursor)
		return -1;
	while ((got = lease_next(cursor, &lease, err)) > 0) {
		int alive = lease_pod_exists(self->store, lease.uuid, err);

		if (alive < 0)
			return -1;
		if (!alive)
			buf_append(&self->dead, lease.key.data, lease.key.len);
	}
	return got;
}

bool gc_is_fresh(const struct gc *self, uint64_t ns)
{
	return ns > self->now_ns ||
	       (self->now_ns - ns) / 1000000000u < (uint64_t)self->options.grace_sec;
}

static char *ago(const struct gc *self, const char *what, uint64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return xasprintf("%s %s", what,
		time_ago((int64_t)(ns / 1000000000u), (int64_t)(self->now_ns / 1000000000u), text));
}

char *gc_last_use(const struct gc *self, const struct decision *image)
{
	return ago(self, image->used_ns > image->row.imported_ns ? "last used" : "imported",
		image->used_ns);
}

void gc_stays(struct decision *decision, char *reason)
{
	free(decision->reason);
	decision->reason = reason;
	decision->fate = decision->stale ? FATE_DROP_TREE : FATE_KEEP;
}

/* What is known of the image NEXT. */
static int look_at(struct gc *self, db_txn *txn, struct decision *next, struct slice key,
	struct slice value, rkt_error **err)
{
	struct tree_row extracted = { 0 }, index = { 0 };
	uint64_t used_ns = 0;
	int has_extracted;

	if (key_image_id(key, &next->id, err) < 0 || image_row_read(value, &next->row, err) < 0 ||
		store_get_used(txn, &next->id, &used_ns, err) < 0 ||
		store_get_tree(txn, RECORD_EROFS, &next->id, &index, err) < 0)
		return -1;
	has_extracted = store_get_tree(txn, RECORD_EXTRACTED, &next->id, &extracted, err);
	if (has_extracted < 0)
		return -1;
	next->size = next->row.size + index.size;
	next->stale = has_extracted && !gc_is_fresh(self, extracted.made_ns);
	next->used_ns = used_ns > next->row.imported_ns ? used_ns : next->row.imported_ns;
	next->last_ns = next->used_ns;
	return 0;
}

/* A tree that pods use is not stale, whenever it was made. */
static void in_use(struct decision *decision, int holders, struct buf *pods)
{
	decision->stale = false;
	gc_stays(decision,
		xasprintf("in use by pod%s%s", str_plural((uint64_t)holders), buf_text(pods)));
}

static int decide(
	struct gc *self, db_txn *txn, struct slice key, struct slice value, rkt_error **err)
{
	struct decision *next = add_decision(&self->images);
	auto_buf struct buf pods = { 0 };
	auto_free char *when = NULL;
	int holders;

	if (look_at(self, txn, next, key, value, err) < 0)
		return -1;
	holders = lease_holders(self->store, txn, &next->id, &pods, err);
	if (holders < 0)
		return -1;
	if (holders) {
		in_use(next, holders, &pods);
	} else if (gc_is_fresh(self, next->used_ns)) {
		gc_stays(next, gc_last_use(self, next));
	} else {
		when = gc_last_use(self, next);
		next->fate = FATE_REMOVE;
		next->reason = xasprintf("no pod uses it; %s", when);
	}
	return 0;
}

static int decide_images(struct gc *self, db_txn *txn, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_IMAGE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0)
		if (decide(self, txn, key, value, err) < 0)
			return -1;
	return got;
}

/* ---- what images that stay are made of ------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct decision *)a)->id.text, ((const struct decision *)b)->id.text);
}

struct decision *gc_find(const struct gc *self, const rkt_image_id *id)
{
	const struct decision wanted = { .id = *id };

	return bsearch(&wanted, self->images.items, self->images.count, sizeof wanted, by_id);
}

int gc_layers(
	struct gc *self, db_txn *txn, struct decision *image, rkt_layers **ret, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	struct gc_tree tree = { .image = (size_t)(image - self->images.items) };
	struct key key;

	*ret = NULL;
	image->layers = 1;
	if (deps_resolve(txn, &image->id, self->learns ? &self->unlearnt : NULL, ret, &why) < 0) {
		if (rkt_error_kind(why) == RKT_MISSING || rkt_error_kind(why) == RKT_INVALID)
			return 0;
		return rkt_fail_with(err, pass_ptr(why));
	}
	image->layers = (*ret)->count;
	if (deps_is_plain(*ret))
		return 0;
	key = key_of_id(&(*ret)->tree);
	memcpy(tree.id, key.bytes, sizeof tree.id);
	buf_append(&self->wanted, &tree, sizeof tree);
	return 0;
}

/* Keeps what IMAGE, which stays, depends on now. One whose dependencies are not there cannot be
 * used anyway, and keeps nothing. */
static int keep_layers(struct gc *self, db_txn *txn, struct decision *image, rkt_error **err)
{
	auto_layers rkt_layers *layers = NULL;

	if (gc_layers(self, txn, image, &layers, err) < 0)
		return -1;
	for (size_t i = 0; layers && i + 1 < layers->count; i++) {
		struct decision *layer = gc_find(self, &layers->items[i].id);

		if (layer && layer->fate == FATE_REMOVE)
			gc_stays(layer, xasprintf("%s needs it", image->id.text));
	}
	return 0;
}

/* Twice: who stays as a layer keeps nothing more, but has a tree of its own. */
static int keep_all_layers(struct gc *self, db_txn *txn, rkt_error **err)
{
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < self->images.count; i++) {
			struct decision *image = &self->images.items[i];

			if (image->fate != FATE_REMOVE && !image->layers &&
				keep_layers(self, txn, image, err) < 0)
				return -1;
		}
	return 0;
}

/* ---- trees ----------------------------------------------------------------------------------- */

static int by_tree(const void *a, const void *b)
{
	return memcmp(
		((const struct gc_tree *)a)->id, ((const struct gc_tree *)b)->id, KEY_ID_SIZE);
}

static void sort_wanted(struct gc *self)
{
	if (self->wanted.len)
		qsort(self->wanted.data, self->wanted.len / sizeof(struct gc_tree),
			sizeof(struct gc_tree), by_tree);
}

/* The image that would have TREE today, or NULL. */
static struct decision *image_of(const struct gc *self, const uint8_t *tree)
{
	struct gc_tree wanted;
	const struct gc_tree *found = NULL;

	memcpy(wanted.id, tree, sizeof wanted.id);
	if (self->wanted.len)
		found = bsearch(&wanted, self->wanted.data, self->wanted.len / sizeof wanted,
			sizeof wanted, by_tree);
	return found ? &self->images.items[found->image] : NULL;
}

/* Whether the image on top of PLAN goes. With a limit on the size it may stay yet, and then the
 * tree does not go for its sake. A plan that cannot be read tells nothing. */
static bool image_goes(const struct gc *self, struct slice plan)
{
	const struct decision *top;
	struct plan_reader reader;
	rkt_image_id image;
	uint32_t above;
	int got;

	if (self->options.max_size || plan_row_start(plan, &reader, NULL) < 0)
		return false;
	while ((got = plan_row_next(&reader, &image, &above, NULL)) > 0)
		; /* the last is the one on top */
	top = got < 0 ? NULL : gc_find(self, &image);
	return top && top->fate == FATE_REMOVE;
}

/* A tree of several layers stays while a pod has it, or while its image stays and would be made the
 * same today. */
static int decide_tree(
	db_txn *txn, const uint8_t *raw, struct slice plan, void *context, rkt_error **err)
{
	struct gc *self = context;
	struct decision *next = add_decision(&self->trees), *image = image_of(self, raw);
	auto_buf struct buf pods = { 0 };
	struct tree_row index = { 0 }, extracted = { 0 };
	int holders, has_extracted;

	next->id = key_to_id(raw);
	holders = lease_holders(self->store, txn, &next->id, &pods, err);
	if (holders < 0 || store_get_tree(txn, RECORD_EROFS, &next->id, &index, err) < 0)
		return -1;
	has_extracted = store_get_tree(txn, RECORD_EXTRACTED, &next->id, &extracted, err);
	if (has_extracted < 0)
		return -1;
	next->size = index.size;
	next->stale = has_extracted && !gc_is_fresh(self, extracted.made_ns);
	if (holders) {
		in_use(next, holders, &pods);
	} else if (image) {
		image->tree = self->trees.count;
		gc_stays(next, xstrdup("its image stays"));
	} else {
		next->fate = FATE_REMOVE;
		next->reason =
			xstrdup(image_goes(self, plan) ? "its image goes"
						       : "no image is made of these layers now");
	}
	return 0;
}

/* An extracted tree whose image was removed (rm --force) stays while a pod may be running on it. */
static int decide_orphan(struct gc *self, db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct decision *next = add_decision(&self->trees);
	auto_buf struct buf pods = { 0 };
	int holders = lease_holders(self->store, txn, id, &pods, err);

	if (holders < 0)
		return -1;
	next->id = *id;
	next->fate = FATE_REMOVE;
	if (holders)
		in_use(next, holders, &pods);
	else
		next->reason = xstrdup("its image was removed");
	return 0;
}

static int decide_orphans(struct gc *self, db_txn *txn, rkt_error **err)
{
	static const uint8_t form = RECORD_EXTRACTED;
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_TREE, (struct slice){ &form, 1 }, err);
	struct slice key, value, plan;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		struct key plan_key;
		rkt_image_id id;

		if (key.len != KEY_TREE_SIZE || key.data[0] != form)
			return 0;
		id = key_to_id(key.data + 1);
		plan_key = key_of_tree(RECORD_PLAN, &id);
		got = gc_find(self, &id) ? 1
					 : db_get(txn, DB_TREE, key_slice(&plan_key), &plan, err);
		if (got < 0 || (!got && decide_orphan(self, txn, &id, err) < 0))
			return -1;
	}
	return got;
}

static uint64_t size_of_kept(const struct decisions *list)
{
	uint64_t size = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].fate != FATE_REMOVE)
			size += list->items[i].size;
	return size;
}

int gc_decide(db_txn *txn, void *context, rkt_error **err)
{
	struct gc *self = context;

	gc_forget(self);
	if (find_dead_leases(self, txn, err) < 0 || decide_images(self, txn, err) < 0)
		return -1;
	if (self->options.keep_latest)
		gc_keep_latest(self);
	if (keep_all_layers(self, txn, err) < 0)
		return -1;
	if (self->options.max_size && gc_weigh(self, txn, err) < 0)
		return -1;
	sort_wanted(self);
	if (deps_each_plan(txn, decide_tree, self, err) < 0 || decide_orphans(self, txn, err) < 0)
		return -1;
	if (self->options.max_size)
		gc_make_room(self);
	self->result.bytes_kept = size_of_kept(&self->images) + size_of_kept(&self->trees);
	return 0;
}
