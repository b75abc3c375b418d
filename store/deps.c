/* Resolving: depth first, in the order listed, an image reached by two ways twice. */
#include "store/deps.h"

#include <string.h>

#include "aci/digest.h"
#include "aci/id.h"
#include "aci/version.h"
#include "base/alloc.h"
#include "base/str.h"
#include "store/alias.h"
#include "store/index/index.h"
#include "store/resolve.h"
#include "store/sha512.h"

void rkt_layers_free(rkt_layers *layers)
{
	struct deps *self = (struct deps *)layers;

	if (!self)
		return;
	for (size_t i = 0; i < self->image_count; i++) {
		struct deps_image *image = self->images[i];

		free(image->name);
		free(image->version);
		free(image->index_fault);
		image_manifest_free(image->manifest);
		free(image->found);
		free(image);
	}
	free(self->images);
	free(self->items);
	free(self);
}

/* ---- images ---------------------------------------------------------------------------------- */

/* Whether TEXT, a manifest, can have a field NAME: either its letters are there, or escapes that
 * may stand for any. Spares most images the parsing. */
static bool may_have(struct slice text, const char *name)
{
	/* few manifests have a backslash at all, and memchr() finds one thirty times as fast as
	 * memmem() finds two bytes */
	return memmem(text.data, text.len, name, strlen(name)) ||
	       (memchr(text.data, '\\', text.len) && memmem(text.data, text.len, "\\u", 2));
}

bool deps_may_have(struct slice manifest)
{
	return may_have(manifest, "dependencies");
}

static int parse(db_txn *txn, struct deps_image *image, rkt_error **err)
{
	ERROR_SCOPE(err, image->name, NULL);
	struct slice text;

	if (store_get_manifest(txn, &image->id, &text, err) < 0)
		return -1;
	if (!deps_may_have(text) && !may_have(text, "pathWhitelist"))
		return 0;
	image->manifest = image_manifest_parse(text, NULL, err);
	if (!image->manifest)
		return -1;
	image->found = xcalloc(image->manifest->dependency_count + 1, sizeof *image->found);
	return 0;
}

/* The image ID, met before or now. *RET is NULL when it is not in the store. */
static int load(struct deps *self, db_txn *txn, const rkt_image_id *id, struct deps_image **ret,
	rkt_error **err)
{
	struct deps_image *image;
	struct image_row row;
	int got;

	*ret = NULL;
	for (size_t i = 0; i < self->image_count; i++)
		if (strcmp(self->images[i]->id.text, id->text) == 0) {
			*ret = self->images[i];
			return 0;
		}
	got = store_get_image(txn, id, &row, err);
	if (got <= 0)
		return got;
	image = xcalloc(1, sizeof *image);
	self->images = xreallocarray(self->images, self->image_count + 1, sizeof *self->images);
	self->images[self->image_count++] = image;
	*image = (struct deps_image){ .id = *id,
		.name = xstrdup(row.name),
		.version = xstrdup_if(row.version),
		.index_fault = xstrdup_if(row.index_fault),
		.size = row.size };
	*ret = image;
	return parse(txn, image, err);
}

/* ---- matching (appc aci.md, Dependency Matching) --------------------------------------------- */

/* What WANTED asks for, as words. */
static char *words_of(const struct ac_dependency *wanted)
{
	struct buf text = { 0 };

	buf_append_text(&text, wanted->image_name);
	for (size_t i = 0; i < wanted->label_count; i++)
		buf_printf(&text, "%s%s=%s", i ? ", " : " (", wanted->labels[i].name,
			wanted->labels[i].value);
	if (wanted->label_count)
		buf_append_text(&text, ")");
	if (wanted->image_id)
		buf_printf(&text, " with the ID %s", wanted->image_id);
	return buf_steal_text(&text);
}

struct choice {
	rkt_image_id id;
	bool found;
	char *version;
	size_t others; /* of that name, with other labels */
};

struct choosing {
	const struct ac_dependency *wanted;
	struct choice *choice;
};

/* Considers one image of the right name. */
static int consider(db_txn *txn, const rkt_image_id *id, const struct image_row *row, void *context,
	rkt_error **err)
{
	const struct choosing *self = context;
	const struct ac_dependency *wanted = self->wanted;
	struct choice *choice = self->choice;
	int fits = store_has_labels(txn, id, row, wanted->labels, wanted->label_count, err);

	if (fits < 0)
		return -1;
	if (!fits)
		choice->others++;
	if (!fits || (choice->found && version_compare(row->version, choice->version) <= 0))
		return 0;
	free(choice->version);
	choice->version = xstrdup_if(row->version);
	choice->id = *id;
	choice->found = true;
	return 0;
}

struct unlearnt {
	const struct ac_dependency *wanted;
	struct buf *ids;      /* NULL: nobody asks */
	size_t known, others; /* images of that name: whose SHA-512 is known and another, and not */
};

static void add_unlearnt(struct buf *ids, const rkt_image_id *id)
{
	const rkt_image_id *there = (const rkt_image_id *)ids->data;

	for (size_t i = 0; i < ids->len / sizeof *there; i++)
		if (strcmp(there[i].text, id->text) == 0)
			return;
	buf_append(ids, id, sizeof *id);
}

/* Considers one image of the right name, none of which is known by the SHA-512. */
static int consider_unlearnt(db_txn *txn, const rkt_image_id *id, const struct image_row *row,
	void *context, rkt_error **err)
{
	struct unlearnt *self = context;
	const struct ac_dependency *wanted = self->wanted;
	int fits = store_has_labels(txn, id, row, wanted->labels, wanted->label_count, err);
	int known = fits < 0 ? -1 : !fits || alias_has(txn, id, ALIAS_SHA512, err);

	if (known < 0)
		return -1;
	self->known += (size_t)known;
	self->others += !known;
	if (!known && self->ids)
		add_unlearnt(self->ids, id);
	return 0;
}

/* The image with the SHA-512 that WANTED gives: 1, 0, or -1. */
static int find_by_sha512(struct deps *self, db_txn *txn, const struct ac_dependency *wanted,
	rkt_image_id *ret, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	struct unlearnt unlearnt = { .wanted = wanted, .ids = self->unlearnt };

	if (resolve(txn, wanted->image_id, ret, &why) == 0)
		return 1;
	if (rkt_error_kind(why) != RKT_MISSING)
		return rkt_fail_with(err, pass_ptr(why));
	if (resolve_each_named(txn, wanted->image_name, consider_unlearnt, &unlearnt, err) < 0)
		return -1;
	if (unlearnt.others)
		return rkt_fail(err, RKT_MISSING,
			"not in the store, as far as known: the SHA-512 of %zu of that name was "
			"never made, which takes somebody who may write to the store",
			unlearnt.others);
	if (unlearnt.known)
		return rkt_fail(err, RKT_MISSING,
			"not in the store: the %zu of that name have another SHA-512 or other "
			"labels",
			unlearnt.known);
	return 0;
}

static int find_by_id(struct deps *self, db_txn *txn, const struct ac_dependency *wanted,
	rkt_image_id *ret, rkt_error **err)
{
	if (id_form_of(wanted->image_id, NULL) == ID_SHA512)
		return find_by_sha512(self, txn, wanted, ret, err);
	return rkt_image_id_parse(wanted->image_id, ret, err) < 0 ? -1 : 1;
}

/* An image asked for by its ID must bear name and labels all the same. */
static int choose_by_id(struct deps *self, db_txn *txn, const struct ac_dependency *wanted,
	struct choice *choice, rkt_error **err)
{
	struct image_row row;
	int got = find_by_id(self, txn, wanted, &choice->id, err);

	if (got > 0)
		got = store_get_image(txn, &choice->id, &row, err);
	if (got <= 0)
		return got;
	if (strcmp(row.name, wanted->image_name) != 0)
		return rkt_fail(err, RKT_INVALID, "that image is called %s", row.name);
	got = store_has_labels(txn, &choice->id, &row, wanted->labels, wanted->label_count, err);
	if (!got)
		return rkt_fail(err, RKT_INVALID, "that image has other labels");
	choice->found = got > 0;
	return got < 0 ? -1 : 0;
}

static int choose(struct deps *self, db_txn *txn, const struct ac_dependency *wanted,
	struct choice *choice, struct deps_image **ret, rkt_error **err)
{
	struct choosing by_name = { wanted, choice };
	int got = wanted->image_id
			  ? choose_by_id(self, txn, wanted, choice, err)
			  : resolve_each_named(txn, wanted->image_name, consider, &by_name, err);

	if (got < 0)
		return -1;
	if (!choice->found && choice->others)
		return rkt_fail(err, RKT_MISSING,
			"not in the store: the %zu of that name have "
			"other labels",
			choice->others);
	if (!choice->found)
		return rkt_fail(err, RKT_MISSING, "not in the store");
	if (load(self, txn, &choice->id, ret, err) < 0)
		return -1;
	if (wanted->size && wanted->size != (*ret)->size)
		return rkt_fail(err, RKT_INVALID,
			"%s has %ju bytes, its dependent says %ju (the size of the uncompressed tar)",
			choice->id.text, (uintmax_t)(*ret)->size, (uintmax_t)wanted->size);
	return 0;
}

/* The image that dependency NUMBER of IMAGE is. */
static int find_dependency(struct deps *self, db_txn *txn, struct deps_image *image, size_t number,
	struct deps_image **ret, rkt_error **err)
{
	const struct ac_dependency *wanted = &image->manifest->dependencies[number];
	auto_error rkt_error *why = NULL;
	struct choice choice = { .found = false };
	int result;

	*ret = image->found[number];
	if (*ret)
		return 0;
	result = choose(self, txn, wanted, &choice, ret, &why);
	free(choice.version);
	if (result < 0) {
		auto_free char *words = words_of(wanted);

		rkt_fail_outer(&why, "%s needs %s", image->name, words);
		return rkt_fail_with(err, pass_ptr(why));
	}
	image->found[number] = *ret;
	return 0;
}

/* ---- the layers ------------------------------------------------------------------------------ */

static uint32_t add_layer(struct deps *self, const struct deps_image *image)
{
	if (self->shown.count == self->room) {
		self->room = self->room ? 2 * self->room : 8;
		self->items = xreallocarray(self->items, self->room, sizeof *self->items);
		self->shown.items = self->items;
	}
	self->items[self->shown.count] = (rkt_layer){ .id = image->id,
		.name = image->name,
		.version = image->version,
		.size = image->size,
		.above = RKT_LAYER_TOP,
		.whitelist = image->manifest ? image->manifest->path_whitelist : NULL,
		.whitelist_count = image->manifest ? image->manifest->path_whitelist_count : 0 };
	return (uint32_t)self->shown.count++;
}

struct walk {
	struct deps *deps;
	db_txn *txn;
	const struct deps_image *path[RKT_LAYERS_DEPTH_MAX]; /* from the top to here */
	unsigned depth;
	unsigned visits;
};

/* Refuses what would never end, or too late. */
static int enter(struct walk *self, const struct deps_image *image, rkt_error **err)
{
	for (unsigned i = 0; i < self->depth; i++) {
		auto_buf struct buf circle = { 0 };

		if (self->path[i] != image)
			continue;
		for (; i < self->depth; i++)
			buf_printf(&circle, "%s -> ", self->path[i]->name);
		return rkt_fail(err, RKT_INVALID, "the dependencies go in a circle: %s%s",
			buf_text(&circle), image->name);
	}
	if (self->depth == RKT_LAYERS_DEPTH_MAX)
		return rkt_fail(err, RKT_INVALID,
			"dependencies of dependencies, more than %d deep, at %s",
			RKT_LAYERS_DEPTH_MAX, image->name);
	if (self->visits++ == RKT_LAYERS_MAX)
		return rkt_fail(err, RKT_INVALID,
			"more than %d layers: each dependency counts as often as it is reached",
			RKT_LAYERS_MAX);
	self->path[self->depth++] = image;
	return 0;
}

/* Adds IMAGE above its dependencies. The depth of the recursion is bounded by enter(). */
static int visit(struct walk *self, struct deps_image *image, uint32_t *ret, rkt_error **err)
{
	size_t count = image->manifest ? image->manifest->dependency_count : 0;
	auto_free uint32_t *below = NULL;

	if (enter(self, image, err) < 0)
		return -1;
	below = xcalloc(count + 1, sizeof *below);
	for (size_t i = 0; i < count; i++) {
		struct deps_image *dependency;

		if (find_dependency(self->deps, self->txn, image, i, &dependency, err) < 0 ||
			visit(self, dependency, &below[i], err) < 0)
			return -1;
	}
	*ret = add_layer(self->deps, image);
	for (size_t i = 0; i < count; i++)
		self->deps->items[below[i]].above = *ret;
	self->depth--;
	return 0;
}

/* The tree ID: the image's own, or what the plan and the way of indexing give. */
static int name_tree(struct deps *self, rkt_error **err)
{
	static const char salt[] = "rkt-tree";
	auto_buf struct buf text = { 0 };
	auto_digest digest *sum = NULL;
	char digits[DIGEST_HEX_MAX + 1];

	self->shown.tree = self->items[self->shown.count - 1].id;
	if (deps_is_plain(&self->shown))
		return 0;
	buf_append(&text, salt, sizeof salt);
	buf_printf(&text, "%d", INDEX_VERSION);
	buf_append(&text, "", 1);
	plan_row_write(&self->shown, &text);
	sum = digest_new(DIGEST_SHA256);
	if (digest_add(sum, buf_slice(&text), err) < 0 || digest_hex(sum, digits, err) < 0)
		return -1;
	self->shown.tree = id_from_hex(digits);
	return 0;
}

int deps_resolve(db_txn *txn, const rkt_image_id *id, struct buf *unlearnt, rkt_layers **ret,
	rkt_error **err)
{
	struct deps *self = xcalloc(1, sizeof *self);
	auto_layers rkt_layers *owner = &self->shown;
	struct walk walk = { .deps = self, .txn = txn };
	struct deps_image *image;
	uint32_t top;

	self->unlearnt = unlearnt;
	if (load(self, txn, id, &image, err) < 0)
		return -1;
	if (!image)
		return store_no_image(id->text, err);
	if (visit(&walk, image, &top, err) < 0 || name_tree(self, err) < 0)
		return -1;
	self->unlearnt = NULL;
	*ret = pass_ptr(owner);
	return 0;
}

/* ---- plans ----------------------------------------------------------------------------------- */

static int fill_from_plan(struct deps *self, db_txn *txn, struct slice value, rkt_error **err)
{
	struct plan_reader plan;
	struct deps_image *image;
	rkt_image_id id;
	uint32_t above, number;
	int got;

	if (plan_row_start(value, &plan, err) < 0)
		return -1;
	while ((got = plan_row_next(&plan, &id, &above, err)) > 0) {
		if (load(self, txn, &id, &image, err) < 0)
			return -1;
		if (!image)
			return store_no_image(id.text, err);
		number = add_layer(self, image);
		self->items[number].above = above;
	}
	return got;
}

int deps_read_plan(db_txn *txn, const rkt_image_id *tree, rkt_layers **ret, rkt_error **err)
{
	struct deps *self = xcalloc(1, sizeof *self);
	auto_layers rkt_layers *owner = &self->shown;
	struct key key = key_of_tree(RECORD_PLAN, tree);
	struct slice value;
	int got = db_get(txn, DB_TREE, key_slice(&key), &value, err);

	if (got <= 0)
		return got;
	if (fill_from_plan(self, txn, value, err) < 0)
		return -1;
	self->shown.tree = *tree;
	*ret = pass_ptr(owner);
	return 1;
}

int deps_each_plan(db_txn *txn, deps_visit_plan *visit_plan, void *context, rkt_error **err)
{
	static const uint8_t form = RECORD_PLAN;
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_TREE, (struct slice){ &form, 1 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		if (key.len != KEY_TREE_SIZE || key.data[0] != form)
			return 0;
		got = visit_plan(txn, key.data + 1, value, context, err);
		if (got)
			return got;
	}
	return got;
}

int deps_write_plan(db_txn *txn, const rkt_layers *layers, rkt_error **err)
{
	struct key key = key_of_tree(RECORD_PLAN, &layers->tree);
	auto_buf struct buf value = { 0 };

	if (deps_is_plain(layers))
		return 0;
	plan_row_write(layers, &value);
	return db_put(txn, DB_TREE, key_slice(&key), buf_slice(&value), err);
}

const char *deps_index_fault(const rkt_layers *layers)
{
	const struct deps *self = (const struct deps *)layers;

	for (size_t i = 0; i < self->image_count; i++)
		if (self->images[i]->index_fault)
			return self->images[i]->index_fault;
	return NULL;
}

/* ---- for people ------------------------------------------------------------------------------ */

int deps_for_each(
	db_txn *txn, const rkt_image_id *id, deps_visit *visit_one, void *context, rkt_error **err)
{
	auto_layers rkt_layers *owner = xcalloc(1, sizeof(struct deps));
	struct deps *self = (struct deps *)owner;
	struct deps_image *image;

	if (load(self, txn, id, &image, err) < 0)
		return -1;
	for (size_t i = 0; image && image->manifest && i < image->manifest->dependency_count; i++) {
		auto_error rkt_error *why = NULL;
		struct deps_image *found = NULL;
		int result = find_dependency(self, txn, image, i, &found, &why);

		if (visit_one(context, &image->manifest->dependencies[i],
			    result < 0 ? NULL : &found->id, why) < 0)
			return -1;
	}
	return 0;
}

struct layers_of {
	const rkt_image_id *id;
	struct buf unlearnt;
	rkt_layers *layers;
};

static int layers_of(db_txn *txn, void *context, rkt_error **err)
{
	struct layers_of *self = context;

	return deps_resolve(txn, self->id, &self->unlearnt, &self->layers, err);
}

int rkt_store_layers(rkt_store *store, const rkt_image_id *id, rkt_layers **ret, rkt_error **err)
{
	struct layers_of self = { .id = id };
	const struct sha512_work work = { db_read, layers_of, &self, &self.unlearnt };
	int result = sha512_run(store, &work, err);

	buf_free(&self.unlearnt);
	if (result == 0)
		*ret = self.layers;
	return result;
}
