/*
 * Verification: whether the files of images and trees are what their records say (S-043).
 *
 * A blob is right when its SHA-256 is its name. An index is right when it is, byte for byte, what
 * the blob gives again, or the blobs of all its layers: the same tars always make the same index,
 * so nothing has to be kept to compare with. Subjects are looked at side by side (verify_look.c).
 * One thread says what is what, in order and as soon as it is known, and changes what is changed
 * (verify_repair.c).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "store/blob.h"
#include "store/deps.h"

/* One image, or one tree of several layers: what is recorded of it, and what was found. */
struct subject {
	rkt_image_id id;
	rkt_layers *layers;            /* of a tree, owned; NULL: an image */
	uint64_t to_read;              /* bytes: of the blob, or of those of all layers */
	bool has_index, current_index; /* it has one, and this program makes the same */
	bool looked_at;                /* the lock of struct verify is for this */
	bool gone;                     /* somebody removed it meanwhile */
	bool again;                    /* it is the second look, under the naming lock */
	rkt_error *blob_fault;         /* also: of a layer's blob */
	rkt_error *index_fault;
	int index; /* in memory, whole and as it should be, when the one on disk is not; else -1 */
};

struct verify {
	rkt_store *store;
	struct rkt_verify_options options;
	struct subject *subjects; /* images first */
	size_t count, room;
	_Atomic uint64_t bytes;
	struct rkt_verify_result result;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	size_t next; /* to be looked at */
	size_t held; /* looked at, waiting for the verdict with an open index */
};

/* Looks at SUBJECT; from any thread. */
void verify_look(struct verify *self, struct subject *subject);
/* Looks once more: wholly, when a blob was found wrong. An index made from blobs that were right is
 * right for ever, so it is only compared again. */
void verify_look_again(struct verify *self, struct subject *subject);

static inline rkt_error *verify_fault(const struct subject *subject)
{
	return subject->blob_fault ?: subject->index_fault;
}

/* Whether FAULT is one of the bytes. An error of the machine (EIO, EMFILE, ENOSPC) says nothing
 * about them: what it kept us from reading may be whole. */
static inline bool verify_is_damage(rkt_error *fault)
{
	return rkt_error_kind(fault) == RKT_INVALID || rkt_error_kind(fault) == RKT_MISSING;
}

/* Under the naming lock, held for removing: mends SUBJECT or takes it out of the store. Returns
 * what was done in words, which the caller frees, or NULL with *ERR saying why not. */
char *verify_repair(struct verify *self, struct subject *subject, rkt_error **err);
