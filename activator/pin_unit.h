/* Brings up a container that a unit runs (--unit), and pins it. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "handover/stats.h"

/* As pin_container(), by a job of the service manager. Of *ret only id, name, pid and state are sure to be set. The
 * run is written down in the lock; *ret_own: it was begun by this or an earlier wake. */
int pin_unit(struct engine *engine, const struct options *o, struct stats *stats, int lock_fd, struct container *ret,
	     int *ret_pidfd, bool *ret_woken, bool *ret_own, struct error *err);
