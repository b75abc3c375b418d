/* From what the user typed to an image in the store. */
#pragma once

#include "base/scope.h"
#include "rkt/store.h"

/*
 * Finds the image REFERENCE names. In the order of the original: an image ID or its prefix; a file
 * that can be opened, which is imported first; the name of an image in the store. A URL is refused
 * with a sentence. OPTIONS (may be NULL) is for the import. RKT_MISSING when there is no such
 * image; the caller frees the record.
 */
int image_resolve(rkt_store *store, const char *reference, const struct rkt_import_options *options,
	rkt_image_record **ret, rkt_error **err);

SCOPE_DEFINE(image_record, rkt_image_record *, rkt_image_record_free)
#define auto_image_record __attribute__((cleanup(scope_image_record)))
