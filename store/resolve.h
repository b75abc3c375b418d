/* From what people type to an image's record. */
#pragma once

#include "store/store.h"

/* As rkt_store_find(), inside TXN: 0, or -1 with RKT_MISSING or RKT_USAGE. *RET gets the ID. */
int resolve(db_txn *txn, const char *reference, rkt_image_id *ret, rkt_error **err);
