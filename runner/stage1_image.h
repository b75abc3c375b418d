/*
 * Where the stage1 image is, and getting it into the store on first use.
 *
 * A stage1 flavour is an ACI FLAVOUR.aci with its ID in a file FLAVOUR.id beside it, so that a
 * start reads 72 bytes instead of hashing an image. Looked for, in this order:
 *
 *	the path given (--stage1-path)			a path asked for must be there
 *	$RKT_STAGE1_PATH
 *	<folder of the program>/stage1/native/stage1-native.aci	(a build tree)
 *	<libdir>/rkt/stage1/stage1-native.aci
 */
#pragma once

#include "rkt/store.h"

/* Finds the stage1 image in STORE, importing it when it is not there (its ID is verified), and
 * checks that it speaks our interface version (RKT_INVALID). PATH may be NULL. */
int stage1_image_find(rkt_store *store, const char *path, rkt_image_id *ret, rkt_error **err);
