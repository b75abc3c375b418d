/*
 * SHA-512s of images, made when somebody needs them: for dependencies given by one. What is looked
 * for is among the images of the dependency's name, so only those are read.
 */
#pragma once

#include "store/store.h"

/* Makes and notes the SHA-512 of the images IDS, rkt_image_id each; one that is not there any more
 * is passed over. -1 when an image could not be read, with the first error; the others are noted
 * all the same. */
int sha512_learn(rkt_store *store, const struct buf *ids, rkt_error **err);

/* Work that resolves dependencies (deps.h). */
struct sha512_work {
	int (*run)(db *self, db_work *work, void *context, rkt_error **err); /* or db_write() */
	db_work *work;
	void *context;
	struct buf *unlearnt; /* where WORK has the IDs put whose SHA-512 it would have to know */
};

/* Runs WORK. When something is RKT_MISSING only because SHA-512s are not known, makes them and runs
 * it again, unless STORE is open for reading only. */
int sha512_run(rkt_store *store, const struct sha512_work *work, rkt_error **err);
