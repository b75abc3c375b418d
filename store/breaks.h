/* What the removal of an image breaks: pods that use it, images that depend on it. */
#pragma once

#include "store/store.h"

struct breaks {
	struct buf pods;   /* UUIDs, a space before each */
	struct buf images; /* raw IDs */
};

/* Finds, inside TXN, the images that depend on ID, directly or not. Looks at the manifests of all
 * images. */
int breaks_find_images(db_txn *txn, const rkt_image_id *id, struct breaks *self, rkt_error **err);

/* Tells REPORT of each. */
void breaks_tell(const struct breaks *self, const struct rkt_remove_options *options);

void breaks_free(struct breaks *self);
