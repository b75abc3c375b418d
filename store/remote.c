/* Rows of URLs. */
#include "store/remote.h"

#include <string.h>

#include "base/alloc.h"
#include "store/known.h"

struct question {
	const char *url;
	struct remote *ret;
	int known;
};

static int ask(db_txn *txn, void *context, rkt_error **err)
{
	struct question *self = context;
	struct slice value = { 0 };
	struct remote_row row;
	struct image_row image;
	struct key key;
	int got;

	self->known = 0;
	if (key_of_remote(self->url, &key, err) < 0)
		return -1;
	got = db_get(txn, DB_REMOTE, key_slice(&key), &value, err);
	if (got <= 0)
		return got;
	if (remote_row_read(value, &row, err) < 0)
		return -1;
	got = store_get_image(txn, &row.id, &image, err);
	if (got <= 0)
		return got;
	*self->ret = (struct remote){ .etag = xstrdup_if(row.etag),
		.last_modified = xstrdup_if(row.last_modified),
		.fetched_ns = row.fetched_ns,
		.fresh_ns = row.fresh_ns,
		.id = row.id };
	self->known = 1;
	return 0;
}

int remote_get(rkt_store *store, const char *url, struct remote *ret, rkt_error **err)
{
	struct question question = { .url = url, .ret = ret };

	*ret = (struct remote){ NULL };
	if (db_read(store->db, ask, &question, err) < 0)
		return -1;
	return question.known ? known_is_there(store, &ret->id, err) : 0;
}

void remote_free(struct remote *self)
{
	free(self->etag);
	free(self->last_modified);
	*self = (struct remote){ NULL };
}

static int put(db_txn *txn, void *context, rkt_error **err)
{
	const struct remote_row *row = context;
	auto_buf struct buf value = { 0 };
	struct key key;

	if (key_of_remote(row->url, &key, err) < 0)
		return -1;
	remote_row_write(row, &value);
	return db_put(txn, DB_REMOTE, key_slice(&key), buf_slice(&value), err);
}

int remote_put(rkt_store *store, const struct remote_row *row, rkt_error **err)
{
	return db_write(store->db, put, (void *)(uintptr_t)row, err);
}

static int find_orphans(db_txn *txn, struct buf *keys, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_REMOTE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		struct remote_row row;
		struct image_row image;
		int there;

		if (key.len != KEY_ID_SIZE || remote_row_read(value, &row, err) < 0)
			return -1;
		there = store_get_image(txn, &row.id, &image, err);
		if (there < 0)
			return -1;
		if (!there)
			buf_append(keys, key.data, key.len);
	}
	return got;
}

int remote_drop_orphans(db_txn *txn, rkt_error **err)
{
	auto_buf struct buf keys = { 0 };

	if (find_orphans(txn, &keys, err) < 0)
		return -1;
	for (size_t at = 0; at < keys.len; at += KEY_ID_SIZE) {
		struct slice key = { keys.data + at, KEY_ID_SIZE };

		if (db_delete(txn, DB_REMOTE, key, err) < 0)
			return -1;
	}
	return 0;
}
