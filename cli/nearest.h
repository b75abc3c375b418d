/* "did you mean": the known word nearest to one that is not known. */
#pragma once

#include <stddef.h>

struct nearest {
	const char *word; /* what was asked for; lent */
	const char *best; /* lent by the candidates; NULL while none is near enough */
	size_t distance;
};

/* Starts a search for words near WORD:
 *	struct nearest near = { .word = word };
 *	... nearest_consider(&near, candidate) ...; near.best
 * Near is: few letters changed, added, left out or swapped for the length of the words, some more
 * when both begin alike. */
void nearest_consider(struct nearest *self, const char *candidate);
