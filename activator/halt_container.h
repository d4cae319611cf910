/* Stops or pauses the container of an instance, or says why it stays up. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "handover/stats.h"
#include "lifecycle/lock.h"

/* *ret_asleep: it no longer runs. stats: NULL for a dependency. The caller holds the first lock exclusively; the
 * function takes the second in `directory`, the runtime directory. */
int halt_container(const struct options *o, struct engine *e, struct container_lock *lock, const char *directory,
		   const struct stats *stats, bool *ret_asleep, struct error *err);
