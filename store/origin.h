/* Where an image came from and whose signature it had: one record an image (doc/formats.md). */
#pragma once

#include "store/store.h"

/* Records ORIGIN for ID, instead of what was recorded before. */
int origin_put(
	db_txn *txn, const rkt_image_id *id, const struct origin_row *origin, rkt_error **err);
/* 1 with the record's bytes, for origin_row_read(), lent by TXN; 0 when nothing is known; or -1. */
int origin_get(db_txn *txn, const rkt_image_id *id, struct slice *ret, rkt_error **err);
/* None is success. */
int origin_drop(db_txn *txn, const rkt_image_id *id, rkt_error **err);
