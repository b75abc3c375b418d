/* The origin table. */
#include "store/origin.h"

int origin_put(
	db_txn *txn, const rkt_image_id *id, const struct origin_row *origin, rkt_error **err)
{
	struct key key = key_of_id(id);
	auto_buf struct buf value = { 0 };

	origin_row_write(origin, &value);
	return db_put(txn, DB_ORIGIN, key_slice(&key), buf_slice(&value), err);
}

int origin_get(db_txn *txn, const rkt_image_id *id, struct slice *ret, rkt_error **err)
{
	struct key key = key_of_id(id);

	return db_get(txn, DB_ORIGIN, key_slice(&key), ret, err);
}

int origin_drop(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct key key = key_of_id(id);

	return db_delete(txn, DB_ORIGIN, key_slice(&key), err);
}
