/* The one commit of an import, and what it says of an image that is there already. */
#include "store/import.h"

#include "store/alias.h"
#include "store/known.h"
#include "store/origin.h"

static int put_tree(db_txn *txn, const struct import_record *record, rkt_error **err)
{
	struct key key = key_of_tree(RECORD_EROFS, &record->id);
	auto_buf struct buf value = { 0 };

	if (record->row.index_fault)
		return 0;
	tree_row_write(&record->tree, &value);
	return db_put(txn, DB_TREE, key_slice(&key), buf_slice(&value), err);
}

static int put_name(db_txn *txn, const struct import_record *record, rkt_error **err)
{
	static const uint8_t version = 1;
	struct key key;

	if (key_of_name(record->row.name, record->row.imported_ns, &record->id, &key, err) < 0)
		return -1;
	return db_put(txn, DB_NAME, key_slice(&key), (struct slice){ &version, 1 }, err);
}

static int put_aliases(db_txn *txn, const struct import_record *record, rkt_error **err)
{
	const struct alias *aliases[] = { &record->packed, &record->hint, &record->sha512 };

	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (aliases[i]->len && alias_put(txn, aliases[i], &record->id, err) < 0)
			return -1;
	return record->seen.len ? alias_put_only(txn, &record->seen, &record->id, err) : 0;
}

/* Of an image that WAS_THERE an unsigned file takes nothing away. A record of one that was not is
 * left by a program that knows no such records and removed the image. */
static int put_origin(
	db_txn *txn, const struct import_record *record, int was_there, rkt_error **err)
{
	const struct origin_row *origin = &record->origin;

	if (origin->signed_by || (!was_there && origin->source))
		return origin_put(txn, &record->id, origin, err);
	return was_there ? 0 : origin_drop(txn, &record->id, err);
}

int import_record_write(db_txn *txn, void *context, rkt_error **err)
{
	const struct import_record *record = context;
	struct key key = key_of_id(&record->id);
	auto_buf struct buf row = { 0 }, manifest = { 0 };
	struct image_row there;
	int got = store_get_image(txn, &record->id, &there, err);

	if (got < 0 || put_aliases(txn, record, err) < 0 || put_origin(txn, record, got, err) < 0)
		return -1;
	if (got) /* another import of it was faster, or its files were gone or damaged */
		return known_used_in(txn, &record->id, err);
	image_row_write(&record->row, &row);
	manifest_row_write(record->manifest, &manifest);
	if (db_put(txn, DB_IMAGE, key_slice(&key), buf_slice(&row), err) < 0 ||
		db_put(txn, DB_MANIFEST, key_slice(&key), buf_slice(&manifest), err) < 0)
		return -1;
	return put_name(txn, record, err) < 0 ? -1 : put_tree(txn, record, err);
}

int import_record_more(db_txn *txn, void *context, rkt_error **err)
{
	const struct import_record *record = context;
	struct image_row row;
	int got = store_get_image(txn, &record->id, &row, err);

	if (!got) /* removed this very moment: as if it had been after the import */
		return 0;
	if (got < 0 || put_aliases(txn, record, err) < 0)
		return -1;
	return put_origin(txn, record, got, err);
}
