/*
 * A source for tests: bytes of memory in blocks of any size. A block is overwritten and freed as
 * soon as the promise of source_keep() is over, so that who looks at it later is found out.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "aci/source.h"
#include "base/alloc.h"

#define CHUNKS_ALIVE_MAX 32u

struct chunk_source {
	source base;
	struct slice rest;
	size_t chunk_len;
	const char *end_error; /* NULL: a proper end */
	unsigned keep, turn;
	uint8_t *alive[CHUNKS_ALIVE_MAX];
};

static int chunk_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct chunk_source *s = (struct chunk_source *)self;
	size_t len = s->rest.len < s->chunk_len ? s->rest.len : s->chunk_len;
	uint8_t **slot;

	if (!len)
		return s->end_error ? rkt_fail(err, RKT_INVALID, "%s", s->end_error) : 0;
	s->turn = (s->turn + 1) % (s->keep + 1);
	slot = &s->alive[s->turn];
	free(*slot);
	*slot = (uint8_t *)xmemdup(s->rest.data, len);
	s->rest.data += len;
	s->rest.len -= len;
	*ret_block = (struct slice){ *slot, len };
	return 1;
}

static bool chunk_keep(source *self, unsigned count)
{
	struct chunk_source *s = (struct chunk_source *)self;

	if (count >= CHUNKS_ALIVE_MAX)
		return false;
	/* the present block moves to where it is overwritten last */
	if (s->turn) {
		uint8_t *present = s->alive[s->turn];

		s->alive[s->turn] = s->alive[0];
		s->alive[0] = present;
		s->turn = 0;
	}
	s->keep = count;
	return true;
}

static void chunk_release(source *self)
{
	struct chunk_source *s = (struct chunk_source *)self;

	for (unsigned i = 0; i < CHUNKS_ALIVE_MAX; i++)
		free(s->alive[i]);
	free(s);
}

static const struct source_ops chunk_ops = {
	.next = chunk_next,
	.keep = chunk_keep,
	.release = chunk_release,
};

/* BYTES, which must outlive the source, in blocks of LEN; at the end an error, or none (NULL). */
static inline source *chunks(struct slice bytes, size_t len, const char *end_error)
{
	struct chunk_source *s = xcalloc(1, sizeof *s);

	s->base.ops = &chunk_ops;
	s->rest = bytes;
	s->chunk_len = len;
	s->end_error = end_error;
	return &s->base;
}

/* Reads SELF to its end and frees it. Returns what source_next() said last. */
static inline int drain(source *self, struct buf *out, rkt_error **err)
{
	struct slice block;
	int got;

	while ((got = source_next(self, &block, err)) > 0)
		buf_append(out, block.data, block.len);
	source_free(self);
	return got;
}
