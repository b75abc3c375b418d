/*
 * What gc decides: which images and trees stay, which go, and why, in words. All inside one
 * transaction, which nothing here changes; gc.c carries it out.
 */
#pragma once

#include "base/buf.h"
#include "store/store.h"

enum fate { FATE_REMOVE, FATE_KEEP, FATE_DROP_TREE };

struct decision {
	rkt_image_id id; /* of an image; or of a tree of several layers */
	enum fate fate;
	uint64_t size; /* what removal would free */
	char *reason;
};

struct decisions {
	struct decision *items;
	size_t count, capacity;
};

struct gc {
	rkt_store *store;
	const struct rkt_gc_options *options;
	struct rkt_gc_result result;
	uint64_t now_ns;
	struct decisions images, trees;
	struct buf wanted; /* raw IDs of the trees that images kept have now */
	struct buf dead;   /* keys of leases whose pod is gone */
};

/* A db_work that decides anew; CONTEXT is a struct gc. */
db_work gc_decide;

/* Forgets all decisions and frees them. */
void gc_forget(struct gc *self);
