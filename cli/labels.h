/* What a container's labels ask `sockwake adopt` for.
 *
 * Labels come from whoever wrote the image or the compose file, and are not trusted as a command line is: each is
 * checked by itself, and what could reach beyond the container (a shell command, a path of the host, a unit, another
 * user, another engine) cannot be asked for at all. */
#pragma once

#include "control/create_request.h"

/* The instance that the labels ask for, as the command line would: of the scope, backend and engine of `base`. The
 * error names container, label and rule. The caller clears *ret, also after an error. */
int labels_to_request(const struct container *c, const struct instance *base, struct create_request *ret,
		      struct error *err);
