/* Brings up the container of a unit (--unit), and pins it. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "handover/stats.h"
#include "lifecycle/lock.h"

/* As pin_container(), but by a job of the service manager. Only id, name, pid and state of *ret are sure to be set.
 * The first lock records the run; *ret_own: this or an earlier wake began it. */
int pin_unit(struct engine *engine, const struct options *o, struct stats *stats, const struct container_lock *lock,
	     struct container *ret, int *ret_pidfd, bool *ret_woken, bool *ret_own, struct error *err);
