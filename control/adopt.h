/* `sockwake adopt`: instances that the labels of containers ask for. */
#pragma once

#include "control/create_request.h"

struct adopt_request {
	struct instance base; /* scope, backend and engine alone */
	const char *name;     /* of one container; NULL for none */
	bool all, prune, dry_run;

	/* The instance that a container's labels ask for, which are options of a command line: of the scope, backend and
	 * engine of `base`. The caller clears *ret, also after an error. */
	int (*read_labels)(const struct container *c, const struct instance *base, struct create_request *ret,
			   struct error *err);
};

/* What was done, or would be, is noted (note.h); so is what could not be done for one of several. */
int adopt_requested(const struct adopt_request *what, struct error *err);
