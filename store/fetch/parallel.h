/*
 * The rest of a large file by several connections: for servers that give each connection less than
 * the way to them could carry. The connection that began goes on to where the first part begins;
 * the others fetch their parts into unnamed files meanwhile, which are put at the end of the spool
 * file in their order. So that file has no holes at any time, and what was kept of it is gone on
 * with as ever.
 *
 * A part counts only when the server proves that it is of the same version (S-027): a strong entity
 * tag, and exactly the range that was asked for.
 */
#pragma once

#include "store/fetch/http.h"

#define PARALLEL_MAX 16 /* connections, the first included */

struct parallel_request {
	struct http *web; /* its options are those of the others */
	const char *url;
	const char *etag;  /* strong */
	int dir;           /* for the unnamed files */
	uint64_t from, of; /* what is left of the file: [from, of) */
	unsigned connections;
};

typedef struct parallel parallel;

/* Starts the other connections. NULL when that cannot be done, which harms nothing. */
parallel *parallel_start(const struct parallel_request *request);
/* Where the first part begins: the connection that began is to end there. */
uint64_t parallel_end_of_first(const parallel *self);
/* Bytes that are there of parts not taken yet. In any thread. */
uint64_t parallel_done(const parallel *self);

/* Waits for the next part, calling TICK (may be NULL) now and then: 1 with *RET_FD and *RET_LEN,
 * its bytes from the start of the file FD, lent until the next call; 0 when there are no more. A
 * part that is shorter than it should be, or did not come at all, is the last. */
int parallel_next(
	parallel *self, void (*tick)(void *context), void *context, int *ret_fd, uint64_t *ret_len);
/* Gives up what is under way. NULL is allowed. */
void parallel_free(parallel *self);

SCOPE_DEFINE(parallel, parallel *, parallel_free)
#define auto_parallel __attribute__((cleanup(scope_parallel)))
