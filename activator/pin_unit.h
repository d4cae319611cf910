/* Brings up a container that a unit runs (--unit), and pins it; puts such a unit to sleep. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "common/stats.h"

/* As pin_container(), by a job of the service manager. Of *ret only id, name, pid and state are sure to be set. The
 * run is written down in the lock; *ret_own: it was begun by this or an earlier wake. */
int pin_unit(struct engine *engine, const struct options *o, struct stats *stats, int lock_fd, struct container *ret,
	     int *ret_pidfd, bool *ret_woken, bool *ret_own, struct error *err);

/* What is to be done with a unit when its instance falls asleep. */
enum unit_fate {
	UNIT_STOP,
	UNIT_RESTS,	/* it does not run */
	UNIT_IN_CHARGE, /* somebody starts, stops or restarts it, or has done so since this wake */
	UNIT_NOT_OURS,	/* it ran before (--keep-running) */
};
enum unit_fate unit_fate(const struct options *o, const struct unit_view *v, int lock_fd);
