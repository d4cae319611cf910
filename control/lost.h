/* Data that would be lost from sight with a container that `sockwake create --image` makes. */
#pragma once

#include "backends/container.h"
#include "control/create_request.h"

/* Notes when a container without a volume loses its data: a Quadlet's when it sleeps, another when it is made anew. */
void lost_note_writes(const struct create_request *r);

/* Refuses to replace a Quadlet, whose text is `before`, by one that does not mount its volumes at the same places, unless
 * they are given up (r->drop_volumes). */
int lost_check_quadlet(const struct create_request *r, const char *before, const char *path, struct error *err);

/* The same for a container, as inspect() described it. Its unnamed volumes stay unnamed. */
int lost_check_container(const struct create_request *r, const struct container *before, struct error *err);
