/*
 * What gc decides: which images and trees stay, which go, and why, in words. All inside one
 * transaction, which nothing here changes; gc.c carries it out.
 *
 * Images stay for their own sake (a pod uses them, they are new, the latest of their name), or as
 * layers of such. With a limit on the size of the store the others are looked at in the order of
 * their last use (gc_choose.c). A tree of several layers goes with its image.
 */
#pragma once

#include "base/buf.h"
#include "store/store.h"

enum fate { FATE_REMOVE, FATE_KEEP, FATE_DROP_TREE };

struct decision {
	rkt_image_id id; /* of an image; or of a tree of several layers */
	enum fate fate;
	uint64_t size; /* what removal would free: an image's blob and index, a tree's index */
	char *reason;
	bool stale; /* it has an extracted tree that no pod uses, made before the grace period */

	/* of images */
	struct image_row row; /* strings are lent by the transaction */
	uint64_t used_ns;     /* its last use: a lease, or its import */
	uint64_t last_ns;     /* that of what depends on it, when it is later */
	size_t layers;        /* that it is made of, itself included; 0: not looked at */
	size_t tree; /* 1 + the number of its tree of several layers; 0: none that may go */
};

struct decisions {
	struct decision *items;
	size_t count, capacity;
};

/* The tree that an image would have today. */
struct gc_tree {
	uint8_t id[KEY_ID_SIZE];
	size_t image; /* its number */
};

struct gc {
	rkt_store *store;
	struct rkt_gc_options options;
	struct rkt_gc_result result;
	uint64_t now_ns;
	struct decisions images, trees;
	struct buf wanted; /* struct gc_tree: of the images that stay, or may */
	struct buf dead;   /* keys of leases whose pod is gone */
	/* Images whose SHA-512 must be known before what is decided holds, rkt_image_id each. */
	struct buf unlearnt;
	bool learns; /* whether that is asked for */
	/* What REPORT will be told when the locks are gone: three words each, a 0 behind each. */
	struct buf reports;
};

/* A db_work that decides anew; CONTEXT is a struct gc. */
db_work gc_decide;

/* Whether NS lies within the grace period; times in the future do. */
bool gc_is_fresh(const struct gc *self, uint64_t ns);

/* Forgets all decisions and frees them. */
void gc_forget(struct gc *self);

/* ---- between gc_decide.c and gc_choose.c ----------------------------------------------------- */

/* DECISION becomes that it stays, for REASON, which it takes over. */
void gc_stays(struct decision *decision, char *reason);
/* The decision about the image ID, or NULL. */
struct decision *gc_find(const struct gc *self, const rkt_image_id *id);
/* What IMAGE is made of now, NULL when that cannot be made; notes its tree as wanted. */
int gc_layers(
	struct gc *self, db_txn *txn, struct decision *image, rkt_layers **ret, rkt_error **err);
/* "imported 3 days ago", "last used 2 hours ago". */
char *gc_last_use(const struct gc *self, const struct decision *image);

/* Decides that the newest images of each name stay. */
void gc_keep_latest(struct gc *self);
/* Finds out what the images are made of that nothing keeps so far. */
int gc_weigh(struct gc *self, db_txn *txn, rkt_error **err);
/* Decides which of these images, and of their trees, go until the store is small enough. */
void gc_make_room(struct gc *self);
