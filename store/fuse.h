/*
 * The tree of an image for who may not mount: erofsfuse (erofs-utils 1.8 or newer) shows the index
 * that the kernel would have mounted. Nanoseconds of times are lost; all else is the same.
 */
#pragma once

#include "rkt/store.h"

/* Whether erofsfuse is in PATH. */
bool fuse_is_there(void);

/* Shows the tree of IMAGE, its dependencies under it, on the directory TARGET until somebody
 * unmounts it (fusermount3 -u). The files it is made of may be removed meanwhile. RKT_FAILED: there
 * is no index of this image, or erofsfuse says no. */
int fuse_mount(rkt_store *store, const rkt_image_id *image, const char *target, rkt_error **err);
