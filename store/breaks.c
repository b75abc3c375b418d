/* Who depends on an image: all manifests are looked at, those that name dependencies are read. */
#include "store/breaks.h"

#include <string.h>

#include "base/uuid.h"
#include "store/deps.h"

struct direct {
	const rkt_image_id *on;
	bool found;
};

static int compare_direct(void *context, const struct ac_dependency *wanted,
	const rkt_image_id *found, rkt_error *why)
{
	struct direct *self = context;

	(void)wanted;
	(void)why;
	self->found = self->found || (found && strcmp(found->text, self->on->text) == 0);
	return 0;
}

/* Whether the image ID is made of the image ON: 1, 0, or -1. Of one that cannot be made now only
 * the dependencies of its own count. */
static int depends(db_txn *txn, const rkt_image_id *id, const rkt_image_id *on, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_layers rkt_layers *layers = NULL;
	struct direct direct = { .on = on };

	if (deps_resolve(txn, id, NULL, &layers, &why) < 0) {
		if (rkt_error_kind(why) != RKT_MISSING && rkt_error_kind(why) != RKT_INVALID)
			return rkt_fail_with(err, pass_ptr(why));
		return deps_for_each(txn, id, compare_direct, &direct, err) < 0 ? -1 : direct.found;
	}
	for (size_t i = 0; i + 1 < layers->count; i++)
		if (strcmp(layers->items[i].id.text, on->text) == 0)
			return 1;
	return 0;
}

int breaks_find_images(db_txn *txn, const rkt_image_id *id, struct breaks *self, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_MANIFEST, (struct slice){ 0 }, err);
	struct slice key, value, manifest;
	int got;

	self->images.len = 0;
	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		rkt_image_id one;
		int has;

		if (manifest_row_read(value, &manifest, err) < 0)
			return -1;
		if (!deps_may_have(manifest))
			continue;
		has = key_image_id(key, &one, err) < 0 ? -1 : depends(txn, &one, id, err);
		if (has < 0)
			return -1;
		if (has)
			buf_append(&self->images, key.data, key.len);
	}
	return got;
}

void breaks_tell(const struct breaks *self, const struct rkt_remove_options *options)
{
	char uuid[UUID_TEXT_LEN + 1] = "";

	if (!options->report)
		return;
	for (size_t at = 0; at < self->pods.len; at += 1 + UUID_TEXT_LEN) {
		memcpy(uuid, self->pods.data + at + 1, UUID_TEXT_LEN);
		options->report(options->context, RKT_BREAKS_POD, uuid);
	}
	for (size_t at = 0; at < self->images.len; at += KEY_ID_SIZE)
		options->report(
			options->context, RKT_BREAKS_IMAGE, key_to_id(self->images.data + at).text);
}

void breaks_free(struct breaks *self)
{
	buf_free(&self->pods);
	buf_free(&self->images);
}
