/* Recording an image: what the one commit at the end of an import writes. */
#pragma once

#include "store/store.h"

struct import_record {
	rkt_image_id id;
	struct image_row row;
	struct slice manifest;
	struct alias packed, hint; /* what the file is known by; empty: no file */
	struct tree_row
		tree; /* of its EROFS index, unless row.index_fault says why there is none */
};

/* A db_work: writes the records of CONTEXT, a struct import_record. An image that is there already
 * keeps its time and name record. */
int import_record_write(db_txn *txn, void *context, rkt_error **err);
