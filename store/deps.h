/*
 * Dependencies: from an image to the images its root file system is made of.
 *
 * What is resolved is kept as a plan: which images, lowest first, and which of them each is a
 * dependency of. Images never change, so a plan and their manifests say everything of a tree; a pod
 * that leases a plan gets that tree whatever is imported later. An image without dependencies and
 * whitelist needs no plan: its tree is its own.
 */
#pragma once

#include "aci/manifest.h"
#include "store/store.h"

/* An image met on the way; each once. */
struct deps_image {
	rkt_image_id id;
	char *name, *version, *index_fault; /* as in its row */
	uint64_t size;
	struct image_manifest *manifest; /* NULL: it has neither dependencies nor a whitelist */
	struct deps_image **found;       /* its dependencies, as far as they were looked for */
};

/* What an rkt_layers is inside. */
struct deps {
	rkt_layers shown;
	rkt_layer *items; /* SHOWN's */
	size_t room;
	struct deps_image **images;
	size_t image_count;
	struct buf *unlearnt; /* lent, or NULL */
};

/* As rkt_store_layers(), inside TXN: 0 or -1; the caller frees *RET with rkt_layers_free(). Where a
 * dependency is given by a SHA-512 that no image is known by, the IDs of those that it may be,
 * because theirs was not made yet, are appended to UNLEARNT (rkt_image_id each; may be NULL):
 * sha512.h. */
int deps_resolve(db_txn *txn, const rkt_image_id *id, struct buf *unlearnt, rkt_layers **ret,
	rkt_error **err);

/* Whether TREE is that of an image alone. */
static inline bool deps_is_plain(const rkt_layers *layers)
{
	return layers->count == 1 && !layers->items[0].whitelist_count;
}

/* The plan kept under the tree ID: 1 with *RET, 0 when there is none, or -1. RKT_MISSING when one
 * of its images is gone. */
int deps_read_plan(db_txn *txn, const rkt_image_id *tree, rkt_layers **ret, rkt_error **err);
/* Calls VISIT for each plan until it returns something else than 0, which is what this returns
 * then. TREE is raw, as in keys; PLAN is what plan_row_start() reads. */
typedef int deps_visit_plan(
	db_txn *txn, const uint8_t *tree, struct slice plan, void *context, rkt_error **err);
int deps_each_plan(db_txn *txn, deps_visit_plan *visit, void *context, rkt_error **err);
/* Keeps LAYERS under their tree ID, unless it is the tree of an image alone. */
int deps_write_plan(db_txn *txn, const rkt_layers *layers, rkt_error **err);

/* Why the layers can have no EROFS index, or NULL. Lent by LAYERS. */
const char *deps_index_fault(const rkt_layers *layers);

/* Whether an image with this manifest can have dependencies. Much cheaper than to ask which. */
bool deps_may_have(struct slice manifest);
/* Tells VISIT of each direct dependency of the image ID: the ID it resolves to, or NULL and why it
 * does not. VISIT returns 0, or -1 to stop. */
typedef int deps_visit(void *context, const struct ac_dependency *dependency,
	const rkt_image_id *found, rkt_error *why);
int deps_for_each(
	db_txn *txn, const rkt_image_id *id, deps_visit *visit, void *context, rkt_error **err);

SCOPE_DEFINE(layers, rkt_layers *, rkt_layers_free)
#define auto_layers __attribute__((cleanup(scope_layers)))
