/* References: full IDs, prefixes of them, names with labels; and the list of all images. */
#include "store/resolve.h"

#include <string.h>

#include "aci/id.h"
#include "base/alloc.h"
#include "base/hex.h"
#include "base/str.h"
#include "store/alias.h"
#include "store/blob.h"
#include "store/reference.h"

#define SCHEME         "sha256-"
#define SCHEME_512     "sha512-" /* as long */
#define CANDIDATES_MAX 8         /* named in the message about an ambiguous prefix */

/* ---- by digest ------------------------------------------------------------------------------- */

/* The smallest key that begins with DIGITS. */
static struct key key_of_prefix(const char *digits, size_t len)
{
	char padded[2 * KEY_ID_SIZE + 1];
	struct key key = { .len = KEY_ID_SIZE };

	memset(padded, '0', sizeof padded);
	memcpy(padded, digits, len);
	if (!hex_decode(padded, 2 * KEY_ID_SIZE, key.bytes, KEY_ID_SIZE))
		abort(); /* id_form_of() saw that they are digits */
	return key;
}

static int ambiguous(const char *reference, struct buf *candidates, size_t count, rkt_error **err)
{
	if (count > CANDIDATES_MAX)
		buf_printf(candidates, " and %zu more", count - CANDIDATES_MAX);
	return rkt_fail(
		err, RKT_USAGE, "%s is ambiguous: it begins%s", reference, buf_text(candidates));
}

/* 1 with the image whose ID begins with DIGITS, 0 when there is none, -1. */
static int by_prefix(
	db_txn *txn, const char *reference, const char *digits, rkt_image_id *ret, rkt_error **err)
{
	size_t len = strlen(digits), count = 0;
	struct key from = key_of_prefix(digits, len);
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_IMAGE, key_slice(&from), err);
	auto_buf struct buf candidates = { 0 };
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		rkt_image_id id;

		if (key_image_id(key, &id, err) < 0)
			return -1;
		if (strncmp(id.text + strlen(SCHEME), digits, len) != 0)
			break;
		if (count++ < CANDIDATES_MAX)
			buf_printf(&candidates, "%s %s", count > 1 ? "," : "", id.text);
		*ret = id;
	}
	if (got < 0)
		return -1;
	return count > 1 ? ambiguous(reference, &candidates, count, err) : (int)count;
}

/* The same for the SHA-512 of images, as far as they were learnt. */
static int by_sha512(
	db_txn *txn, const char *reference, const char *digits, rkt_image_id *ret, rkt_error **err)
{
	size_t len = strlen(digits), count = 0;
	char padded[2 * ALIAS_DIGEST_MAX + 1];
	auto_db_cursor db_cursor *cursor = NULL;
	auto_buf struct buf candidates = { 0 };
	struct alias first;
	struct slice key, value;
	struct key from;
	int got;

	memset(padded, '0', sizeof padded);
	memcpy(padded, digits, len);
	padded[sizeof padded - 1] = '\0';
	first = alias_of_hex(ALIAS_SHA512, padded);
	from = key_of_alias(&first);
	cursor = db_seek(txn, DB_ALIAS, key_slice(&from), err);
	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		struct image_row row;
		rkt_image_id id;

		if (key.len != from.len || key.data[0] != ALIAS_SHA512)
			break;
		hex_encode(key.data + 1, ALIAS_DIGEST_MAX, padded);
		if (strncmp(padded, digits, len) != 0)
			break;
		if (alias_row_read(value, &id, err) < 0)
			return -1;
		got = store_get_image(txn, &id, &row, err);
		if (got < 0)
			return -1;
		if (!got) /* its image was removed by a program that knows no aliases */
			continue;
		if (count++ < CANDIDATES_MAX)
			buf_printf(
				&candidates, "%s " SCHEME_512 "%s", count > 1 ? "," : "", padded);
		*ret = id;
	}
	if (got < 0)
		return -1;
	return count > 1 ? ambiguous(reference, &candidates, count, err) : (int)count;
}

/* ---- by name --------------------------------------------------------------------------------- */

int resolve_each_named(
	db_txn *txn, const char *name, resolve_visit *visit, void *context, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = NULL;
	struct slice key, value;
	struct key from;
	int got;

	if (key_of_name(name, 0, NULL, &from, err) < 0)
		return -1;
	cursor = db_seek(txn, DB_NAME, key_slice(&from), err);
	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		struct image_row row;
		rkt_image_id id;

		if (key.len < from.len || memcmp(key.data, from.bytes, from.len) != 0)
			return 0;
		if (key_name_id(key, &id, err) < 0)
			return -1;
		got = store_get_image(txn, &id, &row, err);
		if (!got)
			return rkt_fail(
				err, RKT_INVALID, "the index is damaged: a name of no image");
		got = got < 0 ? -1 : visit(txn, &id, &row, context, err);
		if (got)
			return got;
	}
	return got;
}

struct wanted {
	const struct reference *reference;
	rkt_image_id *ret;
};

static int take_fitting(db_txn *txn, const rkt_image_id *id, const struct image_row *row,
	void *context, rkt_error **err)
{
	const struct wanted *self = context;
	int fits = store_has_labels(
		txn, id, row, self->reference->labels, self->reference->label_count, err);

	if (fits > 0)
		*self->ret = *id;
	return fits;
}

/* 1 with the newest image that has the name and labels WANTED, 0, or -1. */
static int by_name(db_txn *txn, const struct reference *wanted, rkt_image_id *ret, rkt_error **err)
{
	struct wanted self = { wanted, ret };

	return resolve_each_named(txn, wanted->name, take_fitting, &self, err);
}

static int by_reference(db_txn *txn, const char *text, rkt_image_id *ret, rkt_error **err)
{
	auto_reference struct reference wanted = { 0 };
	const char *digits;
	enum id_form form = id_form_of(text, &digits);
	int got = 0;

	if (form == ID_SHA512)
		return by_sha512(txn, text, digits, ret, err);
	if (form != ID_NONE)
		got = by_prefix(txn, text, digits, ret, err);
	else if ((str_has_prefix(text, SCHEME) || str_has_prefix(text, SCHEME_512)) &&
		 hex_is(text + strlen(SCHEME), strlen(text + strlen(SCHEME))))
		return rkt_fail(err, RKT_USAGE, "%s: an ID needs %d digits or more", text,
			IMAGE_ID_PREFIX_MIN);
	if (got)
		return got;
	return reference_parse(text, &wanted, err) < 0 ? -1 : by_name(txn, &wanted, ret, err);
}

int resolve(db_txn *txn, const char *reference, rkt_image_id *ret, rkt_error **err)
{
	int got = by_reference(txn, reference, ret, err);

	if (!got)
		return store_no_image(reference, err);
	return got < 0 ? -1 : 0;
}

/* ---- the public ones ------------------------------------------------------------------------- */

struct find {
	const char *reference;
	rkt_image_record *found;
};

static int find(db_txn *txn, void *context, rkt_error **err)
{
	struct find *self = context;
	rkt_image_id id;

	if (resolve(txn, self->reference, &id, err) < 0)
		return -1;
	return store_get_record(txn, &id, RECORD_WHOLE, &self->found, err) < 0 ? -1 : 0;
}

int rkt_store_find(rkt_store *store, const char *reference, rkt_image_record **ret, rkt_error **err)
{
	struct find self = { .reference = reference };

	if (db_read(store->db, find, &self, err) < 0)
		return -1;
	*ret = self.found;
	return 0;
}

struct list {
	const char *prefix;
	enum record_parts parts;
	rkt_image_record **records;
	size_t count, capacity;
};

static int add_record(struct list *self, db_txn *txn, struct slice name_key, rkt_error **err)
{
	auto_image_record rkt_image_record *record = NULL;
	rkt_image_id id;
	int got;

	if (key_name_id(name_key, &id, err) < 0)
		return -1;
	got = store_get_record(txn, &id, self->parts, &record, err);
	if (!got)
		return rkt_fail(err, RKT_INVALID, "the index is damaged: a name of no image");
	if (got < 0)
		return -1;
	if (!str_has_prefix(record->name, self->prefix))
		return 0;
	if (self->count == self->capacity) {
		self->capacity = self->capacity ? 2 * self->capacity : 16;
		self->records = xreallocarray(self->records, self->capacity, sizeof *self->records);
	}
	self->records[self->count++] = pass_ptr(record);
	return 0;
}

/* Adds what stands in the name table under keys that begin with FROM. Their order is the order
 * promised: by name, then newest first. */
static int list_keys(struct list *self, db_txn *txn, struct slice from, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_NAME, from, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		if (key.len < from.len || memcmp(key.data, from.data, from.len) != 0)
			return 0;
		if (add_record(self, txn, key, err) < 0)
			return -1;
	}
	return got;
}

static int list(db_txn *txn, void *context, rkt_error **err)
{
	struct list *self = context;
	struct slice plain = slice_of_text(self->prefix);
	struct slice longer = { (const uint8_t *)KEY_LONG_NAMES, strlen(KEY_LONG_NAMES) };

	if (plain.len && list_keys(self, txn, longer, err) < 0)
		return -1;
	return plain.len > KEY_NAME_PLAIN_MAX ? 0 : list_keys(self, txn, plain, err);
}

int store_list(rkt_store *store, const char *prefix, enum record_parts parts,
	rkt_image_record ***ret, size_t *ret_count, rkt_error **err)
{
	struct list self = { .prefix = prefix, .parts = parts };

	if (db_read(store->db, list, &self, err) < 0) {
		rkt_store_list_free(self.records, self.count);
		return -1;
	}
	*ret = self.records;
	*ret_count = self.count;
	return 0;
}

int rkt_store_list_prefix(rkt_store *store, const char *prefix, rkt_image_record ***ret,
	size_t *ret_count, rkt_error **err)
{
	return store_list(store, prefix, RECORD_WHOLE, ret, ret_count, err);
}

int rkt_store_list(rkt_store *store, rkt_image_record ***ret, size_t *ret_count, rkt_error **err)
{
	return rkt_store_list_prefix(store, "", ret, ret_count, err);
}

void rkt_store_list_free(rkt_image_record **records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rkt_image_record_free(records[i]);
	free(records);
}

struct size_of {
	const rkt_image_id *id;
	uint64_t size;
};

static int size_of(db_txn *txn, void *context, rkt_error **err)
{
	struct size_of *self = context;
	struct image_row row = { 0 };
	int got = store_get_image(txn, self->id, &row, err);

	if (!got)
		return store_no_image(self->id->text, err);
	self->size = row.size;
	return got < 0 ? -1 : 0;
}

int rkt_store_open_blob(rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	struct size_of self = { .id = id };

	if (db_read(store->db, size_of, &self, err) < 0)
		return -1;
	return blob_open(&store->layout, id, self.size, err);
}
