/* The container of a unit. The engine finds it by its name, which somebody else's container may have by now: whatever asks
 * for it, or changes it, asks here first, and goes on with the identifier. */
#pragma once

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"

/* Does Podman say that this unit, which may have several names, has made it? */
bool unit_container_is_own(struct unit *u, const char *unit, const struct container *c);

/* EEXIST: o->unit has not made the container that has its name: Podman labels each container of a Quadlet. */
int unit_container_check(struct unit *u, const struct options *o, const struct container *c, struct error *err);

/* Fails with EEXIST for a container of this name. */
int unit_container_refuse(const struct options *o, const char *name, struct error *err);

/* Inspects o->container, and checks it. u: o->unit; NULL: connects to the manager if there is a unit. The caller clears
 * *ret, also after an error. */
int unit_container_inspect(struct unit *u, struct engine *e, const struct options *o, struct container *ret,
			   struct error *err);
