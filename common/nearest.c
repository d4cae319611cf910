#include "common/nearest.h"

#include <stdbool.h>
#include <string.h>

#define LENGTH_MAX 64

/* One change for every so many letters is a slip. */
#define LETTERS_PER_SLIP 3

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* The optimal string alignment distance: Levenshtein's, and two neighbours that are exchanged count as one change. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][LENGTH_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			bool same = a[i - 1] == b[j - 1];

			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1, row[j]);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[b_length];
}

const char *nearest(const char *word, const char *const *words, size_t n)
{
	size_t length = strlen(word), limit = length / LETTERS_PER_SLIP + 1;
	const char *best = NULL;

	if (length == 0 || length > LENGTH_MAX)
		return NULL;
	for (size_t k = 0; k < n; k++) {
		size_t other = strlen(words[k]), found;

		if (other > LENGTH_MAX)
			continue;
		found = distance(word, length, words[k], other);
		/* A word of which nothing is left is another one. */
		if (found < limit && found < length && found < other) {
			limit = found;
			best = words[k];
		}
	}
	return best;
}
