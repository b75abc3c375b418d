/* What is known of an image before it is read: by its ID, or by what its file goes by. */
#pragma once

#include "store/store.h"

/* Whether the image ID is recorded and its files are where they should be: 1, 0 or -1. Files that
 * got lost or truncated are put back by going on with the import. */
int known_is_there(rkt_store *store, const rkt_image_id *id, rkt_error **err);

/* Somebody imported or fetched the image ID, and it was there: that is a use, so that gc leaves it
 * to him for a while. Written down when the last was more than an hour ago: most of such imports
 * cost no commit. */
int known_used(rkt_store *store, const rkt_image_id *id, rkt_error **err);
/* The same as a part of the transaction TXN. */
int known_used_in(db_txn *txn, const rkt_image_id *id, rkt_error **err);

/* The image ALIAS leads to, there or not: 1, 0, or -1. */
int known_by_alias(rkt_store *store, const struct alias *alias, rkt_image_id *ret, rkt_error **err);
