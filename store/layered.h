/*
 * Trees of several layers: one EROFS index over their tars, or one extracted tree.
 *
 * Nothing is copied for an index. Its layers' blobs are read wholly all the same, once, when it is
 * made: what is recorded for good must come from the right bytes (S-043).
 */
#pragma once

#include "aci/extract.h"
#include "store/deps.h"
#include "store/index/index.h"

/* The tars of LAYERS, each once, in the order in which an index has them. */
struct layered_tars {
	const rkt_layer **items; /* lent by the layers */
	uint32_t *of_layer;      /* by layer: its tar's number, from 1 on */
	size_t count;
};
struct layered_tars layered_tars(const rkt_layers *layers);
void layered_tars_free(struct layered_tars *self);

/* The whitelists of LAYERS, one filter each, lent by nobody; freed with layered_filters_free(). */
struct path_filter *layered_filters(const rkt_layers *layers);
void layered_filters_free(struct path_filter *filters, const rkt_layers *layers);

/* Writes the index over LAYERS to OUT, an empty file. Damaged blobs are RKT_INVALID, and so is what
 * an index cannot show. */
int layered_write_index(rkt_store *store, const rkt_layers *layers, int out,
	struct index_stats *ret, rkt_error **err);

/* The same as a file of the store with its record, durable. */
int layered_make_index(
	rkt_store *store, const rkt_layers *layers, uint64_t *ret_size, rkt_error **err);

/* Extracts LAYERS into the empty directory ROOT; the digest of each blob is checked. ASIDE is an
 * empty directory of the same file system for files that are needed meanwhile. */
int layered_extract(
	rkt_store *store, const rkt_layers *layers, int root, int aside, rkt_error **err);

/* LAYERS as one image to NAME below the directory DIR, as extract_layered_image() does it. */
int layered_extract_image(rkt_store *store, const rkt_layers *layers, int dir, const char *name,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err);

/* Writes a tree's record ROW of FORM, whose layers are LAYERS, and their plan. RKT_MISSING when one
 * of the images is gone. */
int layered_record(db_txn *txn, enum record_form form, const rkt_layers *layers,
	struct tree_row row, rkt_error **err);
