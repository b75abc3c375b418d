/*
 * Images by the SHA-512 of their tar, the ID of later texts and of old rkt, which wrote half of it.
 * Nobody needs it until somebody asks, so it is made when first asked for, and remembered.
 */
#include "store/sha512.h"

#include "aci/digest.h"
#include "aci/id.h"
#include "base/alloc.h"
#include "store/alias.h"
#include "store/blob.h"

struct learn {
	rkt_store *store;
	void (*progress)(void *context, uint64_t bytes, uint64_t of);
	void *context;
	struct buf ids; /* rkt_image_id each: those without a SHA-512 */
	uint64_t total, done;
};

static int find_unknown(db_txn *txn, void *context, rkt_error **err)
{
	struct learn *self = context;
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_IMAGE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	self->ids.len = 0;
	self->total = 0;
	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		struct image_row row;
		rkt_image_id id;
		int has;

		if (key_image_id(key, &id, err) < 0 || image_row_read(value, &row, err) < 0)
			return -1;
		has = alias_has(txn, &id, ALIAS_SHA512, err);
		if (has < 0)
			return -1;
		if (has)
			continue;
		buf_append(&self->ids, &id, sizeof id);
		self->total += row.size;
	}
	return got;
}

/* Reads the blob of ID: its SHA-256 is checked in one thread, the SHA-512 made in another. */
static int digest_blob(
	struct learn *self, const rkt_image_id *id, struct alias *ret, rkt_error **err)
{
	int fd = rkt_store_open_blob(self->store, id, err);
	auto_digest digest *sum = digest_new(DIGEST_SHA512);
	char digits[DIGEST_HEX_MAX + 1];
	auto_source source *in = NULL;
	struct slice block;
	int got;

	if (fd < 0)
		return -1;
	in = source_threaded(source_verified(source_from_fd(fd), id));
	while ((got = source_next(in, &block, err)) > 0) {
		if (digest_add(sum, block, err) < 0)
			return -1;
		self->done += block.len;
		if (self->progress)
			self->progress(self->context, self->done, self->total);
	}
	if (got < 0 || digest_hex(sum, digits, err) < 0)
		return -1;
	*ret = alias_of_hex(ALIAS_SHA512, digits);
	return 0;
}

struct fact {
	const rkt_image_id *id;
	struct alias alias;
};

static int note(db_txn *txn, void *context, rkt_error **err)
{
	const struct fact *self = context;
	struct image_row row;
	int got = store_get_image(txn, self->id, &row, err);

	return got > 0 ? alias_put(txn, &self->alias, self->id, err) : got;
}

struct question {
	const rkt_image_id *id;
	int there;
};

static int ask(db_txn *txn, void *context, rkt_error **err)
{
	struct question *self = context;
	struct image_row row;

	self->there = store_get_image(txn, self->id, &row, err);
	return self->there < 0 ? -1 : 0;
}

/* WHY the image ID could not be read does not matter when it was removed meanwhile. */
static int unread(struct learn *self, const rkt_image_id *id, rkt_error *why, rkt_error **err)
{
	struct question question = { .id = id };

	if (db_read(self->store->db, ask, &question, NULL) < 0 || question.there)
		return rkt_fail_with(err, why);
	rkt_error_free(why);
	return 0;
}

static int learn(struct learn *self, const rkt_image_id *id, rkt_error **err)
{
	struct fact fact = { .id = id };
	rkt_error *why = NULL;

	if (digest_blob(self, id, &fact.alias, &why) < 0)
		return unread(self, id, why, err);
	return db_write(self->store->db, note, &fact, err);
}

/* One image that cannot be read does not hide the others. */
static int learn_each(struct learn *self, const struct buf *list, rkt_error **err)
{
	const rkt_image_id *ids = (const rkt_image_id *)list->data;
	int result = 0;

	if (self->store->mode == RKT_STORE_READ)
		return rkt_fail(err, RKT_USAGE, "the store is open for reading only");
	for (size_t i = 0; i < list->len / sizeof *ids; i++)
		if (learn(self, &ids[i], result == 0 ? err : NULL) < 0)
			result = -1;
	return result;
}

int rkt_store_learn_sha512(rkt_store *store,
	void (*progress)(void *context, uint64_t bytes, uint64_t of), void *context,
	rkt_error **err)
{
	struct learn self = { .store = store, .progress = progress, .context = context };
	int result = db_read(store->db, find_unknown, &self, err) < 0
			     ? -1
			     : learn_each(&self, &self.ids, err);

	buf_free(&self.ids);
	return result;
}

int sha512_learn(rkt_store *store, const struct buf *ids, rkt_error **err)
{
	struct learn self = { .store = store };

	return learn_each(&self, ids, err);
}

static int run(rkt_store *store, const struct sha512_work *work, rkt_error **err)
{
	work->unlearnt->len = 0;
	return work->run(store->db, work->work, work->context, err);
}

/* After images were read, one of them not. That may be the one looked for: so its error is told. */
static int run_once_more(
	rkt_store *store, const struct sha512_work *work, rkt_error *unread, rkt_error **err)
{
	auto_error rkt_error *why = NULL, *first = unread;

	if (run(store, work, &why) == 0)
		return 0;
	if (rkt_error_kind(why) != RKT_MISSING || !work->unlearnt->len)
		return rkt_fail_with(err, pass_ptr(why));
	rkt_fail_outer(&first, "%s", rkt_error_raw(why));
	return rkt_fail_with(err, pass_ptr(first));
}

/* Each round knows more than the last: dependencies have dependencies. */
int sha512_run(rkt_store *store, const struct sha512_work *work, rkt_error **err)
{
	for (;;) {
		auto_error rkt_error *why = NULL;
		rkt_error *unread = NULL;

		if (run(store, work, &why) == 0)
			return 0;
		if (rkt_error_kind(why) != RKT_MISSING || !work->unlearnt->len ||
			store->mode == RKT_STORE_READ)
			return rkt_fail_with(err, pass_ptr(why));
		if (sha512_learn(store, work->unlearnt, &unread) < 0)
			return run_once_more(store, work, unread, err);
	}
}

bool sha512_may_help(const char *reference, rkt_error *why)
{
	return rkt_error_kind(why) == RKT_MISSING && id_form_of(reference, NULL) == ID_SHA512;
}

int sha512_find(rkt_store *store, const char *reference,
	void (*progress)(void *context, uint64_t bytes, uint64_t of), void *context,
	rkt_image_record **ret, rkt_error **err)
{
	auto_error rkt_error *missing = NULL, *unread = NULL;

	if (rkt_store_find(store, reference, ret, &missing) == 0)
		return 0;
	if (!sha512_may_help(reference, missing))
		return rkt_fail_with(err, pass_ptr(missing));
	rkt_store_learn_sha512(store, progress, context, &unread);
	/* one that cannot be read may be the one asked for */
	if (unread && rkt_store_find(store, reference, ret, NULL) < 0)
		return rkt_fail_with(err, pass_ptr(unread));
	return unread ? 0 : rkt_store_find(store, reference, ret, err);
}
