/* Taking images away: records first, files after (S-040). */
#pragma once

#include "store/store.h"

/* Deletes every record of ID inside TXN; an image that is not there is success. */
int remove_records(db_txn *txn, const rkt_image_id *id, rkt_error **err);

/* A db_work that does so unless pods need the image: RKT_FAILED, naming them. RKT_MISSING when it
 * is not there. */
struct removal {
	rkt_store *store;
	const rkt_image_id *id;
};
db_work remove_unleased;

/* After the commit, under the naming lock: removes the files and the mount of ID, whose records are
 * gone. *RET_FREED gets the bytes of blob and index. */
int remove_files(rkt_store *store, const rkt_image_id *id, uint64_t *ret_freed, rkt_error **err);

/* Removes what nobody works on in cas/tmp: trees on their way out, files of killed imports. Under
 * the naming lock. REPORT (may be NULL) is told the name of each. */
typedef void remove_report_fn(void *context, const char *name);
int remove_scraps(rkt_store *store, remove_report_fn *report, void *context, rkt_error **err);
