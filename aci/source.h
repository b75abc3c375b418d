/*
 * Byte streams that stack. A source is pulled block by block; each source takes over the one below
 * it, so freeing the top frees the stack.
 *
 *	fd -> unpack -> threaded -> tap(digest) -> tap(blob) -> the tar walk
 *
 * Blocks are lent, not copied: they live until the next call on the same source.
 */
#pragma once

#include "base/buf.h"
#include "base/error.h"

typedef struct source source;

struct source_ops {
	/* As source_next(). */
	int (*next)(source *self, struct slice *ret_block, rkt_error **err);
	/* Releases SELF and what is below it. */
	void (*release)(source *self);
};

/* A kind of source begins with this and is cast back by its own operations. */
struct source {
	const struct source_ops *ops;
};

/* Returns 1 with the next block (never empty), 0 at the end of the stream, -1 on error. After 0 or
 * -1 only source_free() may be called. */
static inline int source_next(source *self, struct slice *ret_block, rkt_error **err)
{
	return self->ops->next(self, ret_block, err);
}

/* Frees the whole stack below SELF. NULL is allowed. */
void source_free(source *self);

/* Reads FD (file, pipe, socket) from its present position; takes over FD. */
source *source_from_fd(int fd);

/* Lends BYTES, which must outlive the source, in one block. For tests and for what is in memory. */
source *source_from_memory(struct slice bytes);

/* Shows every block to TAP before it is handed up. TAP returns 0, or -1 with *err set, which ends
 * the stream. Takes over BELOW. */
typedef int source_tap_fn(void *context, struct slice block, rkt_error **err);
source *source_tap(source *below, source_tap_fn *tap, void *context);

/* Pulls BELOW in a thread of its own, a bounded number of blocks ahead, so that what is below
 * (decompression) and what is above (digest, write) share two cores. Errors arrive in order. If no
 * thread can be had it pulls in the caller's. Takes over BELOW. */
source *source_threaded(source *below);

SCOPE_DEFINE(source, source *, source_free)
#define auto_source __attribute__((cleanup(scope_source)))
