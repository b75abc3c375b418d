/*
 * The buffers of a source that fills blocks of its own: they are used in turn, so that a block
 * stays as it is while the next ones are made (source_keep()).
 */
#pragma once

#include <stdint.h>

#include "aci/source.h"

struct blocks {
	uint8_t **items; /* COUNT buffers of SOURCE_BLOCK bytes; those not used yet are NULL */
	unsigned count;  /* at least 1 once in use */
	unsigned turn;   /* the buffer lent last */
};

/* From here on a buffer is used again only after KEEP others. */
void blocks_keep(struct blocks *self, unsigned keep);
/* The next buffer to fill, SOURCE_BLOCK bytes. */
uint8_t *blocks_next(struct blocks *self);
void blocks_free(struct blocks *self);
