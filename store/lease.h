/* Who needs which image: pods, by their folder below containers/. */
#pragma once

#include "store/deps.h"

/* A row of the table of leases. */
struct lease {
	rkt_image_id image;
	char uuid[UUID_TEXT_LEN + 1];
	struct slice key; /* valid until the cursor moves */
};

/* The next lease of CURSOR, a cursor of DB_LEASE: 1, 0 at the end of the table, or -1. */
int lease_next(db_cursor *cursor, struct lease *ret, rkt_error **err);

/* Appends " UUID" to PODS (may be NULL) for each pod that has a lease on ID and whose folder is
 * there. Returns how many, or -1. */
int lease_holders(
	rkt_store *store, db_txn *txn, const rkt_image_id *id, struct buf *pods, rkt_error **err);

/* Drops all leases of ID. */
int lease_drop_image(db_txn *txn, const rkt_image_id *id, rkt_error **err);

/* Whether the folder of the pod UUID is there: 1, 0, or -1. */
int lease_pod_exists(const rkt_store *store, const char *uuid, rkt_error **err);

/* What a pod has of an image. */
struct lease_question {
	const char *uuid;
	const rkt_image_id *image;
	struct buf *unlearnt; /* as for deps_resolve() */
};

/* The layers of the tree that the pod leased of the image: 0 with *RET, or -1, RKT_MISSING when it
 * has none, or cannot have it any more. The caller frees *RET. */
int lease_layers(
	db_txn *txn, const struct lease_question *question, rkt_layers **ret, rkt_error **err);
