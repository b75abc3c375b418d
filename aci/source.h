/*
 * Byte streams that stack. A source is pulled block by block; each source takes over the one below
 * it, so freeing the top frees the stack.
 *
 *	fd -> threaded -> unpack -> threaded -> tap(digest) -> tap(blob) -> the tar walk
 *
 * Blocks are lent, not copied: they live until the next call on the same source, or longer where
 * source_keep() asked for it. Blocks are big (SOURCE_BLOCK) and, apart from the last, full: what is
 * aligned in the stream is aligned in the block.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* Bytes in a block of the sources that have buffers of their own. Fewer cost more calls and, in
 * inflate, more copies of the window; more fall out of the second-level cache. */
#define SOURCE_BLOCK (256u * 1024)

typedef struct source source;

struct source_ops {
	/* As source_next(). */
	int (*next)(source *self, struct slice *ret_block, rkt_error **err);
	/* As source_keep(). NULL: cannot. */
	bool (*keep)(source *self, unsigned count);
	/* As source_interrupt(). NULL: never waits for anybody. */
	void (*interrupt)(source *self);
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

/* Asks that a block outlive COUNT further calls of source_next() (the present block included, when
 * there is one). Costs memory for COUNT more blocks in whatever source has buffers. Returns false
 * when SELF cannot; then nothing has changed. */
bool source_keep(source *self, unsigned count);

/* Called from another thread: source_next() on SELF, which may be waiting for a pipe or a socket,
 * shall return soon (with an error). Afterwards only source_free() may be called. */
void source_interrupt(source *self);

/* Frees the whole stack below SELF. NULL is allowed. */
void source_free(source *self);

/* Reads FD (file, pipe, socket) from its present position; takes over FD. */
source *source_from_fd(int fd);
/* The same, but a pipe or a socket is not waited for any more, RKT_FAILED, once WAKE (lent; -1:
 * none) can be read from. */
source *source_from_fd_until(int fd, int wake);

/* Lends BYTES, which must outlive the source, in one block. For tests and for what is in memory. */
source *source_from_memory(struct slice bytes);

/* Hands out BLOCK, the one that BELOW has just handed out, once more, and then what follows. Takes
 * over BELOW. */
source *source_put_back(source *below, struct slice block);

/* Shows every block to TAP before it is handed up. TAP returns 0, or -1 with *err set, which ends
 * the stream. Takes over BELOW. */
typedef int source_tap_fn(void *context, struct slice block, rkt_error **err);
source *source_tap(source *below, source_tap_fn *tap, void *context);

/* Pulls BELOW in a thread of its own, a bounded number of blocks ahead, so that what is below
 * (decompression) and what is above (digest, write) share two cores. No byte is copied: BELOW keeps
 * its blocks (source_keep()) until they were used. Errors arrive in order. The thread starts with
 * the first source_next() and handles no signals. If none can be had, or BELOW cannot keep blocks,
 * it pulls in the caller's. Takes over BELOW. */
source *source_threaded(source *below);

SCOPE_DEFINE(source, source *, source_free)
#define auto_source __attribute__((cleanup(scope_source)))
