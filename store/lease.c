/* Taking and dropping leases. A lease counts as long as its pod's folder exists. */
#include "store/lease.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/sha512.h"
#include "store/tree.h"

int lease_pod_exists(const rkt_store *store, const char *uuid, rkt_error **err)
{
	struct stat st;

	if (store->layout.member) /* who may not see the pods */
		return true;
	if (fstatat(store->layout.containers, uuid, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode);
	return errno == ENOENT ? 0 : rkt_fail_errno(err, "stat containers/%s", uuid);
}

int lease_next(db_cursor *cursor, struct lease *ret, rkt_error **err)
{
	struct slice value;
	int got = db_next(cursor, &ret->key, &value, err);

	if (got <= 0)
		return got;
	return key_lease_read(ret->key, &ret->image, ret->uuid, err) < 0 ? -1 : 1;
}

int lease_holders(
	rkt_store *store, db_txn *txn, const rkt_image_id *id, struct buf *pods, rkt_error **err)
{
	struct key from = key_of_lease(id, NULL);
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_LEASE, key_slice(&from), err);
	struct lease lease;
	int got, count = 0;

	if (!cursor)
		return -1;
	while ((got = lease_next(cursor, &lease, err)) > 0) {
		int alive;

		if (strcmp(lease.image.text, id->text) != 0)
			break;
		alive = lease_pod_exists(store, lease.uuid, err);
		if (alive < 0)
			return -1;
		if (alive && pods)
			buf_printf(pods, " %s", lease.uuid);
		count += alive;
	}
	return got < 0 ? -1 : count;
}

int lease_drop_image(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	for (;;) {
		struct key from = key_of_lease(id, NULL);
		auto_db_cursor db_cursor *cursor = db_seek(txn, DB_LEASE, key_slice(&from), err);
		struct slice key, value;
		struct key gone = { .len = 0 };
		int got = cursor ? db_next(cursor, &key, &value, err) : -1;

		if (got <= 0)
			return got;
		if (key.len < from.len || key.len > sizeof gone.bytes ||
			memcmp(key.data, from.bytes, from.len) != 0)
			return 0;
		memcpy(gone.bytes, key.data, key.len);
		gone.len = key.len;
		if (db_delete(txn, DB_LEASE, key_slice(&gone), err) < 0)
			return -1;
	}
}

struct take {
	const char *uuid;
	const rkt_image_id *ids;
	size_t count;
	struct buf unlearnt;
};

static int put_lease(db_txn *txn, const struct key *key, const rkt_image_id *tree, rkt_error **err)
{
	auto_buf struct buf value = { 0 };

	lease_row_write(store_now_ns(), tree, &value);
	return db_put(txn, DB_LEASE, key_slice(key), buf_slice(&value), err);
}

/* A lease on what is part of a tree, or on a tree itself. What the pod has of that image as an app
 * stays in its lease. */
static int take_part(db_txn *txn, const char *uuid, const rkt_image_id *id, rkt_error **err)
{
	struct key key = key_of_lease(id, uuid);
	struct slice there;
	int got = db_get(txn, DB_LEASE, key_slice(&key), &there, err);

	if (got)
		return got < 0 ? -1 : 0;
	return put_lease(txn, &key, NULL, err);
}

static int take_one(struct take *self, db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	auto_layers rkt_layers *layers = NULL;
	struct key key = key_of_lease(id, self->uuid);

	if (deps_resolve(txn, id, &self->unlearnt, &layers, err) < 0 ||
		deps_write_plan(txn, layers, err) < 0 ||
		put_lease(txn, &key, &layers->tree, err) < 0)
		return -1;
	for (size_t i = 0; i + 1 < layers->count; i++)
		if (take_part(txn, self->uuid, &layers->items[i].id, err) < 0)
			return -1;
	for (size_t i = 0; i < layers->count; i++)
		if (store_put_used(txn, &layers->items[i].id, err) < 0)
			return -1;
	return deps_is_plain(layers) ? 0 : take_part(txn, self->uuid, &layers->tree, err);
}

static int take(db_txn *txn, void *context, rkt_error **err)
{
	struct take *self = context;

	for (size_t i = 0; i < self->count; i++)
		if (take_one(self, txn, &self->ids[i], err) < 0)
			return -1;
	return 0;
}

static int no_lease(db_txn *txn, const char *uuid, const rkt_image_id *id, rkt_error **err)
{
	struct image_row row;
	int there = store_get_image(txn, id, &row, err);

	if (there < 0)
		return -1;
	return there ? rkt_fail(err, RKT_MISSING, "pod %s has no lease on %s", uuid, id->text)
		     : rkt_fail(err, RKT_MISSING,
			       "%s, which pod %s took, was removed from the store", id->text, uuid);
}

/* A tree needs no plan, or has lost it with one of its images (rm --force); what is in the store
 * may give the very same again. */
static int resolve_again(db_txn *txn, const struct lease_question *question,
	const rkt_image_id *tree, rkt_layers **ret, rkt_error **err)
{
	auto_layers rkt_layers *layers = NULL;

	if (deps_resolve(txn, question->image, question->unlearnt, &layers, err) < 0)
		return -1;
	if (strcmp(layers->tree.text, tree->text) != 0)
		return rkt_fail(err, RKT_MISSING,
			"an image that %s was made of was removed from the store",
			question->image->text);
	*ret = pass_ptr(layers);
	return 0;
}

int lease_layers(
	db_txn *txn, const struct lease_question *question, rkt_layers **ret, rkt_error **err)
{
	struct key key = key_of_lease(question->image, question->uuid);
	struct slice value;
	rkt_image_id tree;
	int got = db_get(txn, DB_LEASE, key_slice(&key), &value, err);

	if (got > 0)
		got = lease_row_read(value, &tree, err);
	if (!got)
		return no_lease(txn, question->uuid, question->image, err);
	if (got < 0)
		return -1;
	got = deps_read_plan(txn, &tree, ret, err);
	return got ? (got < 0 ? -1 : 0) : resolve_again(txn, question, &tree, ret, err);
}

static int check_uuid(const char *uuid, rkt_error **err)
{
	return uuid_is(uuid) ? 0 : rkt_fail(err, RKT_USAGE, "%s is not a pod's UUID", uuid);
}

int rkt_store_lease(
	rkt_store *store, const char *uuid, const rkt_image_id *ids, size_t count, rkt_error **err)
{
	struct take self = { .uuid = uuid, .ids = ids, .count = count };
	const struct sha512_work work = { db_write, take, &self, &self.unlearnt };
	int there, result;

	if (check_uuid(uuid, err) < 0 || layout_check_owner(&store->layout, err) < 0)
		return -1;
	there = lease_pod_exists(store, uuid, err);
	if (there < 0)
		return -1;
	if (!there)
		return rkt_fail(err, RKT_MISSING, "no pod %s", uuid);
	result = sha512_run(store, &work, err);
	buf_free(&self.unlearnt);
	return result;
}

struct drop {
	const char *uuid;
	struct buf keys; /* of the leases found, KEY_LEASE_SIZE bytes each */
};

static int find_leases(db_txn *txn, struct drop *self, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_LEASE, (struct slice){ 0 }, err);
	struct lease lease;
	int got;

	if (!cursor)
		return -1;
	while ((got = lease_next(cursor, &lease, err)) > 0)
		if (strcmp(lease.uuid, self->uuid) == 0)
			buf_append(&self->keys, lease.key.data, lease.key.len);
	return got;
}

static int drop(db_txn *txn, void *context, rkt_error **err)
{
	struct drop *self = context;

	self->keys.len = 0;
	if (find_leases(txn, self, err) < 0)
		return -1;
	for (size_t at = 0; at < self->keys.len; at += KEY_LEASE_SIZE) {
		struct slice key = { self->keys.data + at, KEY_LEASE_SIZE };

		if (db_delete(txn, DB_LEASE, key, err) < 0)
			return -1;
	}
	return 0;
}

int rkt_store_lease_drop(rkt_store *store, const char *uuid, rkt_error **err)
{
	struct drop self = { .uuid = uuid };
	int result = check_uuid(uuid, err);

	if (result == 0)
		result = layout_check_owner(&store->layout, err);
	if (result == 0)
		result = db_write_less(store->db, drop, &self, err);
	for (size_t at = 0; result == 0 && at < self.keys.len; at += KEY_LEASE_SIZE) {
		rkt_image_id id = key_to_id(self.keys.data + at);

		result = tree_unmount_unused(store, &id, err);
	}
	buf_free(&self.keys);
	return result;
}
