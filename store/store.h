/*
 * Inside a store handle, for the files of this folder and its commands. The promise to everybody
 * else is include/rkt/store.h.
 */
#pragma once

#include "rkt/store.h"

#include <pthread.h>

#include "aci/manifest.h"
#include "store/db.h"
#include "store/db_record.h"
#include "store/layout.h"
#include "store/opened.h"

struct rkt_store {
	struct layout layout;
	struct opened opened;
	db *db;
	enum rkt_store_mode mode;
	/* What follows is about the last tree that was opened, by whichever thread: changed under
	 * LOCK, read by who knows that nobody else opens one. All above stays as it is. */
	pthread_mutex_t lock;
	/* Why the last tree was not an EROFS mount although one was asked for; NULL: it was. */
	char *tree_reason;
	rkt_image_id tree_opened;
};

/* Nanoseconds since the epoch, for records. */
uint64_t store_now_ns(void);

/* Reads the image ID's record in TXN: 1, 0 when there is none, -1. Strings are lent by TXN. */
int store_get_image(db_txn *txn, const rkt_image_id *id, struct image_row *ret, rkt_error **err);
/* The manifest of ID, which has a row, lent by TXN: 0, or -1. */
int store_get_manifest(db_txn *txn, const rkt_image_id *id, struct slice *ret, rkt_error **err);
/* Whether the image ID, whose row is ROW, has all COUNT labels WANTED: 1, 0, or -1. Those that are
 * in the row spare the reading of the manifest. */
int store_has_labels(db_txn *txn, const rkt_image_id *id, const struct image_row *row,
	const struct ac_pair *wanted, size_t count, rkt_error **err);
/* The tree of FORM: 1, 0, -1. */
int store_get_tree(db_txn *txn, enum record_form form, const rkt_image_id *id, struct tree_row *ret,
	rkt_error **err);

/* When the image ID was last used: a pod took a lease on it, or it was imported or fetched and was
 * there. 1, 0 when it never was, -1. */
int store_get_used(db_txn *txn, const rkt_image_id *id, uint64_t *ret_ns, rkt_error **err);
/* It is used now. */
int store_put_used(db_txn *txn, const rkt_image_id *id, rkt_error **err);

/* How much of a record is read. Each table it stands in is a page more that has to be mapped, as
 * images lie there in no order: of a hundred images these take longer than all else. */
enum record_parts {
	RECORD_BRIEF, /* without manifest, index size, last use, source, and who signed */
	RECORD_WHOLE,
};

/* The record of ID for the world outside: 1 with *RET, which the caller frees, 0 or -1. */
int store_get_record(db_txn *txn, const rkt_image_id *id, enum record_parts parts,
	rkt_image_record **ret, rkt_error **err);
/* rkt_store_list_prefix(), of PARTS of the records. */
int store_list(rkt_store *store, const char *prefix, enum record_parts parts,
	rkt_image_record ***ret, size_t *ret_count, rkt_error **err);

/* Reads options that begin with their size (size_t) and may be the shorter ones that were promised
 * first, of FIRST bytes: what they lack is 0 in RET, of KNOWN bytes. RKT_USAGE for other sizes. */
int store_read_options(const void *options, size_t first, void *ret, size_t known, rkt_error **err);
/* Whether options that say they have SIZE bytes are the ones known here, of KNOWN: 0, or
 * RKT_USAGE. */
int store_check_options(size_t size, size_t known, rkt_error **err);

/* Fails with RKT_MISSING. */
int store_no_image(const char *reference, rkt_error **err);

SCOPE_DEFINE(store, rkt_store *, rkt_store_close)
SCOPE_DEFINE(image_record, rkt_image_record *, rkt_image_record_free)
#define auto_store        __attribute__((cleanup(scope_store)))
#define auto_image_record __attribute__((cleanup(scope_image_record)))
