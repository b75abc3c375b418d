/* From what people type to an image's record. */
#pragma once

#include "store/store.h"

/* As rkt_store_find(), inside TXN: 0, or -1 with RKT_MISSING or RKT_USAGE. *RET gets the ID. */
int resolve(db_txn *txn, const char *reference, rkt_image_id *ret, rkt_error **err);

/* Calls VISIT for each image called NAME, the newest import first, until it returns something else
 * than 0, which is what this returns then. The row is lent. */
typedef int resolve_visit(db_txn *txn, const rkt_image_id *id, const struct image_row *row,
	void *context, rkt_error **err);
int resolve_each_named(
	db_txn *txn, const char *name, resolve_visit *visit, void *context, rkt_error **err);
