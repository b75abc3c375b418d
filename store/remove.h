/* Taking images away: records first, files after (S-040). */
#pragma once

#include "store/store.h"

/* Deletes every record of ID inside TXN, and those of all trees that it is a layer of; an image
 * that is not there is success. Appends the IDs of these trees, KEY_ID_SIZE bytes each, to TREES.
 */
int remove_records(db_txn *txn, const rkt_image_id *id, struct buf *trees, rkt_error **err);

/* The same without the trees of several layers, where somebody else sees to them. */
int remove_image_records(db_txn *txn, const rkt_image_id *id, rkt_error **err);

/* Deletes the records of a tree that is no image's own. */
int remove_tree_records(db_txn *txn, const rkt_image_id *tree, rkt_error **err);

/* A db_work that does the first unless pods need the image: RKT_FAILED, naming them. RKT_MISSING
 * when it is not there. */
struct removal {
	rkt_store *store;
	const rkt_image_id *id;
	struct buf trees; /* as in remove_records(); the caller frees it */
};
db_work remove_unleased;

/* After the commit, under the naming lock: removes the files and mounts of ID and TREES, whose
 * records are gone. *RET_FREED gets the bytes of blob and indexes. */
int remove_files(rkt_store *store, const rkt_image_id *id, const struct buf *trees,
	uint64_t *ret_freed, rkt_error **err);
/* The same for one tree; adds to *FREED. */
int remove_tree_files(rkt_store *store, const rkt_image_id *tree, uint64_t *freed, rkt_error **err);

/* Removes what nobody works on in cas/tmp: trees on their way out, files of killed imports. Under
 * the naming lock. REPORT (may be NULL) is told the name of each. */
typedef void remove_report_fn(void *context, const char *name);
int remove_scraps(rkt_store *store, remove_report_fn *report, void *context, rkt_error **err);
