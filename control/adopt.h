/* `sockwake adopt`: creates the instances that container labels request. */
#pragma once

#include "control/create_request.h"

struct adopt_request {
	struct instance base; /* only scope, backend and engine */
	const char *name;     /* of one container; NULL: none */
	bool all, prune, dry_run;
	bool backend_assumed; /* no --backend */

	/* Reads the instance that a container's labels request, as command-line options; scope, backend and engine are
	 * those of `base`. The caller clears *ret, also after an error. */
	int (*read_labels)(const struct container *c, const struct instance *base, struct create_request *ret,
			   struct error *err);
};

/* Notes each change made, or planned in a dry run, and each failure of one among several (note.h). */
int adopt_requested(const struct adopt_request *what, struct error *err);
