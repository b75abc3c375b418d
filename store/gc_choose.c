/*
 * Which of the images that nothing keeps stay all the same: the newest of each name, and those
 * used last, as far as there is room.
 */
#include "store/gc.h"

#include <string.h>

#include "aci/version.h"
#include "base/alloc.h"
#include "base/str.h"
#include "store/deps.h"

/* ---- the latest ------------------------------------------------------------------------------ */

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ?: "", b ?: "");
}

static int compare_times(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Below or above 0 unless both are of one name, and for one system and architecture. */
static int compare_kinds(const struct image_row *a, const struct image_row *b)
{
	int result = strcmp(a->name, b->name);

	result = result ? result : compare_texts(a->os, b->os);
	return result ? result : compare_texts(a->arch, b->arch);
}

/* Newest first within each kind, in the order in which a dependency would be looked for. */
static int newest_first(const void *one, const void *other)
{
	const struct image_row *a = &(*(struct decision *const *)one)->row;
	const struct image_row *b = &(*(struct decision *const *)other)->row;
	int result = compare_kinds(a, b);

	result = result ? result : version_compare(b->version, a->version);
	return result ? result : compare_times(b->imported_ns, a->imported_ns);
}

void gc_keep_latest(struct gc *self)
{
	size_t count = self->images.count;
	auto_free struct decision **sorted = xcalloc(count + 1, sizeof(struct decision *));
	uint64_t of_kind = 0;

	for (size_t i = 0; i < count; i++)
		sorted[i] = &self->images.items[i];
	qsort(sorted, count, sizeof(struct decision *), newest_first);
	for (size_t i = 0; i < count; i++) {
		bool same = i && compare_kinds(&sorted[i - 1]->row, &sorted[i]->row) == 0;

		of_kind = same ? of_kind + 1 : 1;
		if (of_kind <= self->options.keep_latest && sorted[i]->fate == FATE_REMOVE)
			gc_stays(sorted[i],
				xasprintf("number %llu of the latest of %s",
					(unsigned long long)of_kind, sorted[i]->row.name));
	}
}

/* ---- room ------------------------------------------------------------------------------------ */

static int weigh(struct gc *self, db_txn *txn, struct decision *image, rkt_error **err)
{
	auto_layers rkt_layers *layers = NULL;

	if (gc_layers(self, txn, image, &layers, err) < 0)
		return -1;
	for (size_t i = 0; layers && i + 1 < layers->count; i++) {
		struct decision *layer = gc_find(self, &layers->items[i].id);

		if (layer && layer->last_ns < image->used_ns)
			layer->last_ns = image->used_ns;
	}
	return 0;
}

int gc_weigh(struct gc *self, db_txn *txn, rkt_error **err)
{
	for (size_t i = 0; i < self->images.count; i++)
		if (self->images.items[i].fate == FATE_REMOVE &&
			weigh(self, txn, &self->images.items[i], err) < 0)
			return -1;
	return 0;
}

/* An image comes before what it depends on: that has its last use, or a later one, and is made of
 * fewer layers. */
static int first_to_go(const void *one, const void *other)
{
	const struct decision *a = *(struct decision *const *)one;
	const struct decision *b = *(struct decision *const *)other;
	int result = compare_times(a->last_ns, b->last_ns);

	if (!result)
		result = compare_times(b->layers, a->layers);
	return result ? result : strcmp(a->id.text, b->id.text);
}

/* Bytes of all files there would be if every candidate stayed. */
static uint64_t size_of_all(const struct gc *self)
{
	uint64_t size = 0;

	for (size_t i = 0; i < self->images.count; i++)
		size += self->images.items[i].size;
	for (size_t i = 0; i < self->trees.count; i++)
		if (self->trees.items[i].fate != FATE_REMOVE)
			size += self->trees.items[i].size;
	return size;
}

/* IMAGE goes, from a store of SIZE bytes. Returns what its files take. */
static uint64_t goes(struct gc *self, struct decision *image, uint64_t size)
{
	struct decision *tree = image->tree ? &self->trees.items[image->tree - 1] : NULL;
	auto_free char *when = gc_last_use(self, image);
	char is[16], may[16];

	free(image->reason);
	image->reason = xasprintf("no pod uses it; least recently used (%s), the store would take "
				  "%s of %s",
		when, str_size(size, is), str_size(self->options.max_size, may));
	if (!tree || tree->fate == FATE_REMOVE)
		return image->size;
	free(tree->reason);
	tree->fate = FATE_REMOVE;
	tree->reason = xstrdup("its image goes");
	return image->size + tree->size;
}

void gc_make_room(struct gc *self)
{
	auto_free struct decision **sorted =
		xcalloc(self->images.count + 1, sizeof(struct decision *));
	uint64_t size = size_of_all(self);
	size_t count = 0;
	char is[16], may[16];

	for (size_t i = 0; i < self->images.count; i++)
		if (self->images.items[i].fate == FATE_REMOVE)
			sorted[count++] = &self->images.items[i];
	qsort(sorted, count, sizeof(struct decision *), first_to_go);
	for (size_t i = 0; i < count; i++)
		if (size > self->options.max_size)
			size -= goes(self, sorted[i], size);
		else
			gc_stays(sorted[i],
				xasprintf("no pod uses it, but there is room: %s of %s",
					str_size(size, is), str_size(self->options.max_size, may)));
}
