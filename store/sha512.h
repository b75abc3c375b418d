/*
 * SHA-512s of images, made when somebody needs them: for dependencies given by one. What is looked
 * for is among the images of the dependency's name, so only those are read. What people type has no
 * name, so all are.
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

/* Whether nothing but a SHA-512 nobody made yet may be what WHY, the error of rkt_store_find() for
 * REFERENCE, is about. */
bool sha512_may_help(const char *reference, rkt_error *why);
/* rkt_store_find(), which makes the SHA-512s that are missing when that may help. STORE is open for
 * writing. PROGRESS as for rkt_store_learn_sha512(). */
int sha512_find(rkt_store *store, const char *reference,
	void (*progress)(void *context, uint64_t bytes, uint64_t of), void *context,
	rkt_image_record **ret, rkt_error **err);
