/* How many of several have failed. Each failure is told at once, unless there is only one that could; what is left for the
 * end is how many there were. */
#pragma once

#include <stddef.h>

#include "common/error.h"

struct tally {
	size_t of, failed;
	struct error last;
};
void tally_failure(struct tally *t, const struct error *why);
int tally_result(const struct tally *t, struct error *err);
