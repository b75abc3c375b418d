/* Aliases: a row from the digest to the image, and one back for its removal. */
#include "store/alias.h"

#include <string.h>

#include "base/hex.h"

struct alias alias_of_hex(enum alias_kind kind, const char *digits)
{
	struct alias alias = { .kind = kind, .len = strlen(digits) / 2 };

	if (alias.len > sizeof alias.digest ||
		!hex_decode(digits, 2 * alias.len, alias.digest, alias.len))
		abort(); /* of a digest of ours */
	return alias;
}

int alias_put(db_txn *txn, const struct alias *alias, const rkt_image_id *id, rkt_error **err)
{
	struct key key = key_of_alias(alias), back = key_of_alias_of(id, alias);
	static const uint8_t version = 1;
	auto_buf struct buf value = { 0 };

	alias_row_write(id, &value);
	if (db_put(txn, DB_ALIAS, key_slice(&key), buf_slice(&value), err) < 0)
		return -1;
	return db_put(txn, DB_ALIAS, key_slice(&back), (struct slice){ &version, 1 }, err);
}

int alias_get(db_txn *txn, const struct alias *alias, rkt_image_id *ret, rkt_error **err)
{
	struct key key = key_of_alias(alias);
	struct slice value = { 0 };
	int got = db_get(txn, DB_ALIAS, key_slice(&key), &value, err);

	if (got <= 0)
		return got;
	return alias_row_read(value, ret, err) < 0 ? -1 : 1;
}

/* The first alias of ID whose kind is KIND or comes later: 1, 0, or -1. */
static int first_of(db_txn *txn, const rkt_image_id *id, enum alias_kind kind, struct alias *ret,
	rkt_error **err)
{
	struct key shared = key_of_alias_of(id, NULL),
		   from = key_of_alias_of(id, &(struct alias){ .kind = kind });
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_ALIAS, key_slice(&from), err);
	struct slice key, value;
	int got = cursor ? db_next(cursor, &key, &value, err) : -1;

	if (got <= 0)
		return got;
	if (key.len < shared.len || memcmp(key.data, shared.bytes, shared.len) != 0)
		return 0;
	return key_alias_read(key, ret, err) < 0 ? -1 : 1;
}

int alias_has(db_txn *txn, const rkt_image_id *id, enum alias_kind kind, rkt_error **err)
{
	struct alias found = { .kind = kind };
	int got = first_of(txn, id, kind, &found, err);

	return got > 0 ? found.kind == kind : got;
}

/* The row at ALIAS may meanwhile lead to another image: that one keeps it. */
static int drop(db_txn *txn, const rkt_image_id *id, const struct alias *alias, rkt_error **err)
{
	struct key key = key_of_alias(alias), back = key_of_alias_of(id, alias);
	rkt_image_id now = { "" };
	int got = alias_get(txn, alias, &now, err);

	if (got < 0)
		return -1;
	if (got && strcmp(now.text, id->text) == 0 &&
		db_delete(txn, DB_ALIAS, key_slice(&key), err) < 0)
		return -1;
	return db_delete(txn, DB_ALIAS, key_slice(&back), err);
}

int alias_put_only(db_txn *txn, const struct alias *alias, const rkt_image_id *id, rkt_error **err)
{
	struct alias old;
	int got;

	while ((got = first_of(txn, id, alias->kind, &old, err)) > 0 && old.kind == alias->kind)
		if (drop(txn, id, &old, err) < 0)
			return -1;
	return got < 0 ? -1 : alias_put(txn, alias, id, err);
}

int alias_drop_image(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct alias alias;
	int got;

	while ((got = first_of(txn, id, (enum alias_kind)0, &alias, err)) > 0)
		if (drop(txn, id, &alias, err) < 0)
			return -1;
	return got;
}
