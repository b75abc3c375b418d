/* From what the user typed to an image in the store. */
#pragma once

#include "base/scope.h"
#include "rkt/store.h"

/* How images are fetched: what is handed on to rkt-store fetch. */
struct image_fetching {
	const char *policy;   /* "new", "update", "never" */
	const char *insecure; /* words of --insecure-options; NULL: none */
};

/*
 * Finds the image REFERENCE names. In the order of the original: an image ID or its prefix; a file
 * that can be opened, which is imported first; a URL, or the name of an image in the store, which
 * rkt-store fetch is asked for where FETCHING says so. OPTIONS (may be NULL) is for the import.
 * RKT_MISSING when there is no such image; the caller frees the record.
 */
int image_resolve(rkt_store *store, const char *reference, const struct image_fetching *fetching,
	const struct rkt_import_options *options, rkt_image_record **ret, rkt_error **err);

SCOPE_DEFINE(image_record, rkt_image_record *, rkt_image_record_free)
#define auto_image_record __attribute__((cleanup(scope_image_record)))
