/*
 * Trees: the root file system of an image, ready to be used.
 *
 * EROFS: the index made at import, mounted with the blob as its device, once, below cas/mnt; users
 * get clones of that mount, because two mounts of one index would cache every page twice.
 *
 * Extracted, where EROFS cannot serve: a folder below cas/rootfs, made in cas/tmp with the blob's
 * digest checked, and renamed when whole. Nothing in it is synced; instead the record says in which
 * boot it was made, and one from an earlier boot is made anew: after a power cut it could not be
 * trusted.
 */
#pragma once

#include "store/store.h"

/* Opens the index of ID, which should have SIZE bytes; RKT_INVALID when it has not, or is not
 * there. */
int tree_open_index(
	const struct layout *layout, const rkt_image_id *id, uint64_t size, rkt_error **err);

/* Whether the tree of ID is mounted below cas/mnt: 1, 0, or -1. */
int tree_is_mounted(const rkt_store *store, const rkt_image_id *id, rkt_error **err);
/* Unmounts the tree of ID from cas/mnt unless a pod has a lease on it. Not mounted is success. */
int tree_unmount_unused(rkt_store *store, const rkt_image_id *id, rkt_error **err);
/* Takes the extracted tree of ID out of sight, into cas/tmp; under the naming lock. *RET_MOVED says
 * whether there was one. Its record is the caller's to delete, beforehand. */
int tree_discard_extracted(
	rkt_store *store, const rkt_image_id *id, bool *ret_moved, rkt_error **err);
