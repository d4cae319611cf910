/* Counts failures among several instances. Each failure is reported at once, unless there is only one instance; the
 * result has their number. */
#pragma once

#include <stddef.h>

#include "common/error.h"

struct tally {
	size_t of, failed;
	struct error last;
};
void tally_failure(struct tally *t, const struct error *why);
int tally_result(const struct tally *t, struct error *err);
