/* A container cannot start, because a network that it is connected to is gone. */
#pragma once

#include "backends/backend.h"

/* Docker remembers a network by its identifier, and names only that: gives its name, and how to connect the container again.
 * Leaves other errors as they are. */
void lost_network_explain(struct engine *e, const char *container, struct error *err);
