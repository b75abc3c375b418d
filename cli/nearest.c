/* Edit distance with swaps of neighbours (optimal string alignment), on words of bounded length. */
#include "cli/nearest.h"

#include <string.h>

#define WORD_MAX 63 /* longer words are nobody's typing error */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	size_t rows[3][WORD_MAX + 1]; /* row i lies in rows[i % 3] */

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3],
		       *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]),
				1 + least(above[j], row[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

static size_t common_prefix(const char *a, const char *b)
{
	size_t len = 0;

	while (a[len] && a[len] == b[len])
		len++;
	return len;
}

void nearest_consider(struct nearest *self, const char *candidate)
{
	size_t word_len = strlen(self->word), len = strlen(candidate);
	size_t longest = word_len > len ? word_len : len, alike, distance, limit;

	if (!word_len || word_len > WORD_MAX || len > WORD_MAX)
		return;
	alike = common_prefix(self->word, candidate);
	if (alike == word_len && alike > 1)
		distance = 1; /* an abbreviation is as good as a slip */
	else
		distance = edit_distance(self->word, candidate);
	limit = alike > 1 ? longest / 2 + 1 : longest / 3 + 1;
	if (distance <= limit && distance < longest && (!self->best || distance < self->distance)) {
		self->best = candidate;
		self->distance = distance;
	}
}
