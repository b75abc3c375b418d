/* From layers to one index, or one extracted tree. */
#include "store/layered.h"

#include <string.h>

#include "base/alloc.h"
#include "store/blob.h"

struct layered_tars layered_tars(const rkt_layers *layers)
{
	struct layered_tars tars = {
		.items = xcalloc(layers->count, sizeof *tars.items),
		.of_layer = xcalloc(layers->count, sizeof *tars.of_layer),
	};

	for (size_t i = 0; i < layers->count; i++) {
		size_t at = 0;

		while (at < tars.count &&
			strcmp(tars.items[at]->id.text, layers->items[i].id.text) != 0)
			at++;
		if (at == tars.count)
			tars.items[tars.count++] = &layers->items[i];
		tars.of_layer[i] = (uint32_t)at + 1;
	}
	return tars;
}

void layered_tars_free(struct layered_tars *self)
{
	free(self->items);
	free(self->of_layer);
}

struct path_filter *layered_filters(const rkt_layers *layers)
{
	struct path_filter *filters = xcalloc(layers->count, sizeof *filters);

	for (size_t i = 0; i < layers->count; i++) {
		const rkt_layer *layer = &layers->items[i];

		path_filter_init(&filters[i], layer->whitelist, layer->whitelist_count,
			layer->above == RKT_LAYER_TOP ? NULL : &filters[layer->above]);
	}
	return filters;
}

void layered_filters_free(struct path_filter *filters, const rkt_layers *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		path_filter_free(&filters[i]);
	free(filters);
}

/* Layer NUMBER of CONTEXT as an image whose digest is checked on the way. */
struct opener {
	rkt_store *store;
	const rkt_layers *layers;
};

static image_reader *open_layer(void *context, size_t number, rkt_error **err)
{
	const struct opener *self = context;
	const rkt_layer *layer = &self->layers->items[number];
	int blob = blob_open(&self->store->layout, &layer->id, layer->size, err);

	return blob < 0 ? NULL
			: image_open(source_verified(source_from_fd(blob), &layer->id), NULL);
}

/* ---- the index ------------------------------------------------------------------------------- */

static int add_layer(index_builder *index, struct opener *opener, size_t number, rkt_error **err)
{
	ERROR_SCOPE(err, opener->layers->items[number].name, NULL);
	auto_image image_reader *image = open_layer(opener, number, err);
	const struct image_entry *entry;
	int got;

	if (!image)
		return -1;
	while ((got = image_next(image, &entry, err)) > 0)
		if (index_add(index, entry, err) < 0)
			return -1;
	return got;
}

static int add_layers(index_builder *index, struct opener *opener, const struct layered_tars *tars,
	const struct path_filter *filters, rkt_error **err)
{
	for (size_t i = 0; i < opener->layers->count; i++)
		if (index_begin_layer(index, tars->of_layer[i], &filters[i], err) < 0 ||
			add_layer(index, opener, i, err) < 0)
			return -1;
	return 0;
}

int layered_write_index(rkt_store *store, const rkt_layers *layers, int out,
	struct index_stats *ret, rkt_error **err)
{
	auto_index index_builder *index = index_new();
	struct path_filter *filters = layered_filters(layers);
	struct layered_tars tars = layered_tars(layers);
	struct opener opener = { store, layers };
	auto_free uint64_t *sizes = xcalloc(tars.count, sizeof *sizes);
	int result = add_layers(index, &opener, &tars, filters, err);

	for (size_t i = 0; i < tars.count; i++)
		sizes[i] = tars.items[i]->size;
	if (result == 0)
		result = index_write_tars(index, sizes, (uint32_t)tars.count, out, ret, err);
	layered_filters_free(filters, layers);
	layered_tars_free(&tars);
	return result;
}

int layered_record(db_txn *txn, enum record_form form, const rkt_layers *layers,
	struct tree_row row, rkt_error **err)
{
	struct key key = key_of_tree(form, &layers->tree);
	auto_free rkt_image_id *ids = xcalloc(layers->count, sizeof *ids);
	auto_buf struct buf value = { 0 };

	for (size_t i = 0; i < layers->count; i++) {
		struct image_row image;
		int got = store_get_image(txn, &layers->items[i].id, &image, err);

		if (!got)
			return store_no_image(layers->items[i].id.text, err);
		if (got < 0)
			return -1;
		ids[i] = layers->items[i].id;
	}
	row.layers = ids;
	row.layer_count = (uint32_t)layers->count;
	tree_row_write(&row, &value);
	if (deps_write_plan(txn, layers, err) < 0)
		return -1;
	return db_put(txn, DB_TREE, key_slice(&key), buf_slice(&value), err);
}

struct made {
	const rkt_layers *layers;
	uint64_t size;
};

static int record_index(db_txn *txn, void *context, rkt_error **err)
{
	const struct made *self = context;
	const struct tree_row row = {
		.index_version = INDEX_VERSION, .size = self->size, .made_ns = store_now_ns()
	};

	return layered_record(txn, RECORD_EROFS, self->layers, row, err);
}

int layered_make_index(
	rkt_store *store, const rkt_layers *layers, uint64_t *ret_size, rkt_error **err)
{
	auto_scratch struct scratch file = SCRATCH_EMPTY;
	struct made made = { .layers = layers };
	struct index_stats stats;
	auto_fd int naming = -1;

	if (store->mode == RKT_STORE_READ)
		return rkt_fail(err, RKT_USAGE, "the store is open for reading only");
	if (scratch_open(&store->layout, &file, err) < 0 ||
		layered_write_index(store, layers, file.fd, &stats, err) < 0 ||
		scratch_sync(&file, err) < 0)
		return -1;
	made.size = stats.size;
	naming = layout_lock(&store->layout, LAYOUT_NAMING, err);
	if (naming < 0 || scratch_shelve(&file, store->layout.erofs, &layers->tree, err) < 0 ||
		db_write(store->db, record_index, &made, err) < 0)
		return -1;
	*ret_size = stats.size;
	return 0;
}

/* ---- extracted ------------------------------------------------------------------------------- */

struct stack {
	struct opener opener;
	struct extract_layers layers;
};

/* LAYERS as the extractor takes them; FILTERS go with layered_filters_free(). */
static void stack_layers(struct stack *self, rkt_store *store, const rkt_layers *layers,
	const struct path_filter *filters)
{
	self->opener = (struct opener){ store, layers };
	self->layers = (struct extract_layers){ .count = layers->count,
		.filters = filters,
		.open = open_layer,
		.context = &self->opener };
}

int layered_extract(
	rkt_store *store, const rkt_layers *layers, int root, int aside, rkt_error **err)
{
	bool privileged = geteuid() == 0;
	const struct extract_options options = { .what = EXTRACT_ROOTFS,
		.owner = privileged ? EXTRACT_OWNER_KEEP : EXTRACT_OWNER_CALLER,
		.devices = privileged ? EXTRACT_DEVICES_MAKE : EXTRACT_DEVICES_REFUSE };
	struct path_filter *filters = layered_filters(layers);
	struct stack stack;
	int result;

	stack_layers(&stack, store, layers, filters);
	result = extract_layers(&stack.layers, root, aside, &options, NULL, err);
	layered_filters_free(filters, layers);
	return result;
}

int layered_extract_image(rkt_store *store, const rkt_layers *layers, int dir, const char *name,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err)
{
	struct path_filter *filters = layered_filters(layers);
	struct stack stack;
	int result;

	stack_layers(&stack, store, layers, filters);
	result = extract_layered_image(&stack.layers, dir, name, options, ret_report, err);
	layered_filters_free(filters, layers);
	return result;
}
