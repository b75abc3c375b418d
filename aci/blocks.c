/* Buffers used in turn. */
#include "aci/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void blocks_keep(struct blocks *self, unsigned keep)
{
	unsigned count = keep + 1, tail;
	uint8_t **items;

	if (count <= self->count)
		return;
	/* The new buffers go behind the one lent last: it, and those before it, get older first. */
	items = xcalloc(count, sizeof *items);
	if (self->count) {
		tail = self->count - self->turn - 1;
		memcpy(items, self->items, (self->turn + 1) * sizeof *items);
		memcpy(items + count - tail, self->items + self->turn + 1, tail * sizeof *items);
	} else {
		self->turn = count - 1;
	}
	free(self->items);
	self->items = items;
	self->count = count;
}

uint8_t *blocks_next(struct blocks *self)
{
	if (!self->count)
		blocks_keep(self, 0);
	self->turn = (self->turn + 1) % self->count;
	if (!self->items[self->turn])
		self->items[self->turn] = xmalloc(SOURCE_BLOCK);
	return self->items[self->turn];
}

void blocks_free(struct blocks *self)
{
	for (unsigned i = 0; i < self->count; i++)
		free(self->items[i]);
	free(self->items);
	*self = (struct blocks){ 0 };
}
