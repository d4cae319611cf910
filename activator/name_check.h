/* Does a container of somebody else's have the name that a unit is about to give to its own? `podman run --replace`, which
 * Podman's generators write, would remove it with its data. */
#pragma once

#include <stdint.h>

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "lifecycle/lock.h"

/* Error EEXIST if so; another one if that cannot be told. Asks the engine, or podman(1) where that does not listen, unless
 * the name is known to be free (free_name.h). lock: of the unit. */
int name_check(struct unit *u, struct engine *e, const struct options *o, const struct container_lock *lock,
	       struct error *err);

/* The same while the unit's job waits, before its process runs. Returns in how many microseconds to check again, or
 * USEC_INFINITY: not any more. Only an error EEXIST is one. */
uint64_t name_check_again(struct unit *u, struct engine *e, const struct options *o, const struct container_lock *lock,
			  struct error *err);
