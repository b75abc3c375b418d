/* Taking images away: records first, files after (S-040). */
#pragma once

#include "store/breaks.h"
#include "store/store.h"

/* Deletes the records of the image ID inside TXN, leases included, but for trees of several layers
 * that have it. An image that is not there is success. */
int remove_image_records(rkt_store *store, db_txn *txn, const rkt_image_id *id, rkt_error **err);

/* Deletes the records of a tree and the leases on it. An extracted tree that pods have a lease on
 * stays with both, as they may be running on it; gc finds it when they are gone. */
int remove_tree_records(rkt_store *store, db_txn *txn, const rkt_image_id *tree, rkt_error **err);

/* A db_work that deletes every record of an image and of the trees that it is a layer of, unless
 * pods need it: RKT_FAILED, naming them. RKT_MISSING when it is not there. */
struct removal {
	rkt_store *store;
	const rkt_image_id *id;
	struct rkt_remove_options options;
	/* What comes out; the caller frees it with removal_free(). */
	struct buf trees; /* raw IDs of these trees */
	struct breaks breaks;
};
db_work remove_unleased;
void removal_free(struct removal *self);

/* After the commit, under the naming lock: removes the files and mounts of ID and TREES, whose
 * records are gone. *RET_FREED gets the bytes of blob and indexes. */
int remove_files(rkt_store *store, const rkt_image_id *id, const struct buf *trees,
	uint64_t *ret_freed, rkt_error **err);
/* The same for one tree; adds to *FREED. An extracted tree that is leased stays. */
int remove_tree_files(rkt_store *store, const rkt_image_id *tree, uint64_t *freed, rkt_error **err);

/* Removes what nobody works on in cas/tmp: trees on their way out, files of killed imports. Under
 * the naming lock. REPORT (may be NULL) is told the name of each, and the bytes it took. One that
 * cannot be removed does not keep the others: the first error is that of all. */
typedef void remove_report_fn(void *context, const char *name, uint64_t bytes);
int remove_scraps(rkt_store *store, remove_report_fn *report, void *context, rkt_error **err);
