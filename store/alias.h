/*
 * What else an image goes by than its ID. An alias is a fact about bytes: which tar a file unpacks
 * to, which SHA-512 a tar has. So one whose image is gone is never wrong, only of no use. But one
 * kind is about the moment in which a file was read (seen.h).
 */
#pragma once

#include "store/store.h"

/* An alias from the digits of a finished digest. */
struct alias alias_of_hex(enum alias_kind kind, const char *digits);

/* Adds ALIAS for ID. One that is there already leads to ID from here on: fingerprints need not be
 * unique. */
int alias_put(db_txn *txn, const struct alias *alias, const rkt_image_id *id, rkt_error **err);
/* The same for an alias of which an image has one of the kind: others of ID are dropped. */
int alias_put_only(db_txn *txn, const struct alias *alias, const rkt_image_id *id, rkt_error **err);
/* The image ALIAS leads to, which need not be there: 1, 0, or -1. */
int alias_get(db_txn *txn, const struct alias *alias, rkt_image_id *ret, rkt_error **err);
/* Whether ID has an alias of KIND: 1, 0, or -1. */
int alias_has(db_txn *txn, const rkt_image_id *id, enum alias_kind kind, rkt_error **err);
/* Drops all aliases of ID. None is success. */
int alias_drop_image(db_txn *txn, const rkt_image_id *id, rkt_error **err);
