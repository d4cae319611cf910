/* What was meant by a word that is mistyped. */
#pragma once

#include <stddef.h>

/* The one of `words` that takes the fewest changes of a letter (one too many, one missing, another one, two exchanged),
 * if it is near enough to have been meant; else NULL. */
const char *nearest(const char *word, const char *const *words, size_t n);
