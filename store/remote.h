/*
 * What URLs led to, and until when nobody needs to ask again: the cache of fetching. A row is a
 * hint: an image it names may have been removed, and then it says nothing.
 */
#pragma once

#include "store/store.h"

struct remote {
	char *etag, *last_modified; /* NULL: none */
	uint64_t fetched_ns, fresh_ns;
	rkt_image_id id; /* an image that is in the store */
};

/* 1 with what is known of URL (without user and password), 0 when nothing is, or its image or
 * a file of that is gone, or -1. The caller frees *RET in any case. */
int remote_get(rkt_store *store, const char *url, struct remote *ret, rkt_error **err);
void remote_free(struct remote *self);
/* Writes down what URL led to. */
int remote_put(rkt_store *store, const struct remote_row *row, rkt_error **err);
/* Removes the rows whose image is gone: for gc. */
int remote_drop_orphans(db_txn *txn, rkt_error **err);

#define auto_remote __attribute__((cleanup(remote_free)))
