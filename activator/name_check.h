/* Does somebody else's container or pod have a name that the start of a unit claims, and would remove it with its data? */
#pragma once

#include <stdint.h>

#include "activator/claims.h"
#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "lifecycle/lock.h"

/* Error EEXIST if so; another one if that cannot be told. Asks the engine, or podman(1) where that does not listen, unless
 * the names are known to be free (free_name.h). lock: of o->unit. */
int name_check(struct unit *u, struct engine *e, const struct options *o, const struct claims *claims,
	       const struct container_lock *lock, struct error *err);

/* The same while jobs wait, before the processes of the units run; forgets the claims of those that do. Returns in how many
 * microseconds to check again, or USEC_INFINITY: not any more. Only an error EEXIST is one; *ret_unit then is the unit that
 * must not start, and belongs to the claims. */
uint64_t name_check_again(struct unit *u, struct engine *e, const struct options *o, struct claims *claims,
			  const struct container_lock *lock, const char **ret_unit, struct error *err);
