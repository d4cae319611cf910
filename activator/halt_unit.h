/* Stops the unit that runs the container of an instance, or pauses its container, or says why it stays up. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "handover/stats.h"

/* As halt_container(); lock_fd is the first lock, and the caller holds both exclusively. */
int halt_unit(const struct options *o, struct engine *e, int lock_fd, const struct stats *stats, bool *ret_asleep,
	      struct error *err);
